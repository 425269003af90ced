//! The decision about a session.

use serde_json::{Map, Value};

use super::kinds::{Environment, SessionKind, Status};

records! {
    /// The decision about a session, as the API returns it.
    Decision shows [session_id, session_kind, status, workflow_id, environment] {
        /// The session.
        session_id: Option<String>,
        /// Whom the session is about.
        session_kind: Option<SessionKind>,
        /// The number of the session.
        session_number: Option<i64>,
        /// The address by which the person takes part, which is personal.
        session_url: Option<String>,
        /// The status.
        status: Option<Status>,
        /// The workflow.
        workflow_id: Option<String>,
        /// The modules of the workflow.
        features: Option<Vec<String>>,
        /// Your own reference for the person.
        vendor_data: Option<String>,
        /// Your own data.
        metadata: Option<Value>,
        /// What you expected the person to be.
        expected_details: Option<Value>,
        /// How to reach the person.
        contact_details: Option<Value>,
        /// Where the person is sent at the end.
        callback: Option<String>,
        /// The documents.
        id_verifications: Option<Vec<IdVerification>>,
        /// The chips of documents.
        nfc_verifications: Option<Vec<Module>>,
        /// Whether a living person was there.
        liveness_checks: Option<Vec<Module>>,
        /// Whether the face is that on the document.
        face_matches: Option<Vec<Module>>,
        /// The phone numbers.
        phone_verifications: Option<Vec<Module>>,
        /// The e-mail addresses.
        email_verifications: Option<Vec<Module>>,
        /// The proofs of address.
        poa_verifications: Option<Vec<Module>>,
        /// Other documents.
        document_ai_documents: Option<Vec<Module>>,
        /// The answers to questionnaires.
        questionnaire_responses: Option<Vec<Module>>,
        /// The screenings.
        aml_screenings: Option<Vec<Module>>,
        /// The addresses on the Internet.
        ip_analyses: Option<Vec<Module>>,
        /// The comparisons with registers.
        database_validations: Option<Vec<Module>>,
        /// The registers of a business.
        registry_checks: Option<Vec<Module>>,
        /// The people of a business.
        key_people_checks: Option<Vec<Module>>,
        /// The documents of a business.
        document_verifications: Option<Vec<Module>>,
        /// What people decided.
        reviews: Option<Vec<Value>>,
        /// When the session was created: ISO 8601.
        created_at: Option<String>,
        /// When the session expires: ISO 8601.
        expires_at: Option<String>,
        /// Where the session ran.
        environment: Option<Environment>,
    }

    /// The check of a document. The images and videos are addresses that need no password until
    /// they expire.
    IdVerification shows [node_id, status, document_type, warnings] {
        /// The module.
        node_id: Option<String>,
        /// The result.
        status: Option<Status>,
        /// The kind of the document, such as `Passport`.
        document_type: Option<String>,
        /// The kind of the document within its country.
        document_subtype: Option<String>,
        /// The number of the document.
        document_number: Option<String>,
        /// The number of the person.
        personal_number: Option<String>,
        /// The portrait on the document.
        portrait_image: Option<String>,
        /// The front of the document.
        front_image: Option<String>,
        /// A video of the front.
        front_video: Option<String>,
        /// The back of the document.
        back_image: Option<String>,
        /// A video of the back.
        back_video: Option<String>,
        /// The front before it was cropped.
        full_front_image: Option<String>,
        /// The back before it was cropped.
        full_back_image: Option<String>,
        /// The person's face while the front was taken.
        front_image_camera_front: Option<String>,
        /// The person's face while the back was taken.
        back_image_camera_front: Option<String>,
        /// The date of birth, as `1994-03-30`.
        date_of_birth: Option<String>,
        /// The age in years.
        age: Option<i64>,
        /// The last day on which the document is valid.
        expiration_date: Option<String>,
        /// When the document was issued.
        date_of_issue: Option<String>,
        /// The three letters of the state that issued it.
        issuing_state: Option<String>,
        /// The name of that state.
        issuing_state_name: Option<String>,
        /// The first name.
        first_name: Option<String>,
        /// The last name.
        last_name: Option<String>,
        /// The whole name.
        full_name: Option<String>,
        /// The gender, as on the document.
        gender: Option<String>,
        /// The address.
        address: Option<String>,
        /// The address as registers write it.
        formatted_address: Option<String>,
        /// The place of birth.
        place_of_birth: Option<String>,
        /// The marital status.
        marital_status: Option<String>,
        /// The three letters of the nationality.
        nationality: Option<String>,
        /// Fields that only some documents have.
        extra_fields: Option<Value>,
        /// The machine-readable zone.
        mrz: Option<Value>,
        /// The parts of the address.
        parsed_address: Option<Value>,
        /// More files.
        extra_files: Option<Vec<String>>,
        /// How alike the faces are while the front was taken, in percent.
        front_image_camera_front_face_match_score: Option<f64>,
        /// How alike the faces are while the back was taken, in percent.
        back_image_camera_front_face_match_score: Option<f64>,
        /// How good the image of the front is.
        front_image_quality_score: Option<Value>,
        /// How good the image of the back is.
        back_image_quality_score: Option<Value>,
        /// What was noticed.
        warnings: Option<Vec<Warning>>,
        /// Other sessions with this document.
        matches: Option<Vec<Value>>,
    }

    /// A module other than the check of a document.
    Module shows [node_id, status, warnings] {
        /// The module.
        node_id: Option<String>,
        /// The result.
        status: Option<Status>,
        /// How sure it is, in percent.
        score: Option<f64>,
        /// What was noticed.
        warnings: Option<Vec<Warning>>,
        /// The fields that depend on the module.
        #[serde(flatten)]
        other: Map<String, Value>,
    }

    /// What was noticed by a module.
    Warning shows [feature, risk, node_id] {
        /// The kind of the module.
        feature: Option<String>,
        /// What it is, such as `DOCUMENT_EXPIRED`.
        risk: Option<String>,
        /// How serious it is.
        log_type: Option<String>,
        /// A short description.
        short_description: Option<String>,
        /// A long description.
        long_description: Option<String>,
        /// The module.
        node_id: Option<String>,
        /// More about it.
        additional_data: Option<Value>,
        /// Fields that are not documented here.
        #[serde(flatten)]
        other: Map<String, Value>,
    }
}

impl Decision {
    /// The `risk` of all warnings.
    pub(super) fn risks(&self) -> Vec<String> {
        let documents = self.id_verifications.iter().flatten();
        let documents = documents.flat_map(|module| &module.warnings);
        let modules = [
            &self.nfc_verifications,
            &self.liveness_checks,
            &self.face_matches,
            &self.phone_verifications,
            &self.email_verifications,
            &self.poa_verifications,
            &self.document_ai_documents,
            &self.questionnaire_responses,
            &self.aml_screenings,
            &self.ip_analyses,
            &self.database_validations,
        ];
        let others = modules.into_iter().flatten().flatten();
        let others = others.flat_map(|module| &module.warnings);
        let warnings = documents.chain(others).flatten();
        warnings
            .filter_map(|warning| warning.risk.clone())
            .collect()
    }
}
