//! The inquiry.

use std::collections::BTreeMap;

use serde_json::Value;

records! {
    /// An inquiry: the verification of one person.
    Inquiry shows [object_type, id, attributes, relationships] {
        /// `inquiry`.
        #[serde(rename = "type")]
        object_type: Option<String>,
        /// The id of the inquiry.
        id: String,
        /// What is known of it.
        attributes: Option<InquiryAttributes>,
        /// What it belongs to.
        relationships: Option<InquiryRelationships>,
    }

    /// What is known of an inquiry. Each attribute may be left out by the webhook's settings. Its
    /// `Debug` shows the status and the times.
    InquiryAttributes shows [status, created_at, updated_at, completed_at, decisioned_at, redacted_at] {
        /// How far the inquiry is.
        status: Option<InquiryStatus>,
        /// Your own reference for the person.
        #[serde(rename = "reference-id", alias = "reference_id", alias = "referenceId")]
        reference_id: Option<String>,
        /// A note.
        note: Option<String>,
        /// How the person behaved.
        behaviors: Option<Value>,
        /// The tags, some of which are risk signals.
        tags: Option<Vec<Option<String>>>,
        /// Who created the inquiry, such as `API` or an e-mail address.
        creator: Option<String>,
        /// What a reviewer wrote.
        #[serde(rename = "reviewer-comment", alias = "reviewer_comment", alias = "reviewerComment")]
        reviewer_comment: Option<String>,
        /// When the inquiry was created: ISO 8601, as all times here.
        #[serde(rename = "created-at", alias = "created_at", alias = "createdAt")]
        created_at: Option<String>,
        /// When it was changed last.
        #[serde(rename = "updated-at", alias = "updated_at", alias = "updatedAt")]
        updated_at: Option<String>,
        /// When the person began.
        #[serde(rename = "started-at", alias = "started_at", alias = "startedAt")]
        started_at: Option<String>,
        /// When it expires.
        #[serde(rename = "expires-at", alias = "expires_at", alias = "expiresAt")]
        expires_at: Option<String>,
        /// When every step was passed.
        #[serde(rename = "completed-at", alias = "completed_at", alias = "completedAt")]
        completed_at: Option<String>,
        /// When no attempts were left.
        #[serde(rename = "failed-at", alias = "failed_at", alias = "failedAt")]
        failed_at: Option<String>,
        /// When it was marked for review.
        #[serde(rename = "marked-for-review-at", alias = "marked_for_review_at", alias = "markedForReviewAt")]
        marked_for_review_at: Option<String>,
        /// When it was decided.
        #[serde(rename = "decisioned-at", alias = "decisioned_at", alias = "decisionedAt")]
        decisioned_at: Option<String>,
        /// When it expired.
        #[serde(rename = "expired-at", alias = "expired_at", alias = "expiredAt")]
        expired_at: Option<String>,
        /// When its data were deleted.
        #[serde(rename = "redacted-at", alias = "redacted_at", alias = "redactedAt")]
        redacted_at: Option<String>,
        /// The step before.
        #[serde(rename = "previous-step-name", alias = "previous_step_name", alias = "previousStepName")]
        previous_step_name: Option<String>,
        /// The step to come.
        #[serde(rename = "next-step-name", alias = "next_step_name", alias = "nextStepName")]
        next_step_name: Option<String>,
        /// The fields of the template, by their names, which are the same in every spelling.
        fields: Option<BTreeMap<String, Option<Field>>>,
    }

    /// A field of a template. Its `Debug` shows the type.
    Field shows [field_type] {
        /// The type of the value.
        #[serde(rename = "type")]
        field_type: Option<String>,
        /// The value.
        value: Option<Value>,
    }

    /// What an inquiry belongs to.
    InquiryRelationships shows [account, template, inquiry_template, inquiry_template_version] {
        /// The account.
        account: Option<Reference>,
        /// The older template.
        template: Option<Reference>,
        /// The template.
        #[serde(rename = "inquiry-template", alias = "inquiry_template", alias = "inquiryTemplate")]
        inquiry_template: Option<Reference>,
        /// The version of the template.
        #[serde(rename = "inquiry-template-version", alias = "inquiry_template_version", alias = "inquiryTemplateVersion")]
        inquiry_template_version: Option<Reference>,
        /// The transaction.
        transaction: Option<Reference>,
        /// Who reviewed the inquiry.
        reviewer: Option<Reference>,
        /// The documents.
        documents: Option<References>,
        /// The reports.
        reports: Option<References>,
        /// The selfies.
        selfies: Option<References>,
        /// The sessions.
        sessions: Option<References>,
        /// The verifications.
        verifications: Option<References>,
    }

    /// Another object, or none.
    Reference shows [data] {
        /// The object.
        data: Option<ObjectId>,
    }

    /// Other objects.
    References shows [data] {
        /// The objects.
        data: Option<Vec<ObjectId>>,
    }

    /// The type and the id of another object.
    ObjectId shows [object_type, id] {
        /// The type, such as `verification/government-id`.
        #[serde(rename = "type")]
        object_type: Option<String>,
        /// The id.
        id: Option<String>,
    }
}

open_enum! {
    /// How far an inquiry is.
    InquiryStatus {
        /// It was created.
        Created = "created",
        /// The person is taking part.
        Pending = "pending",
        /// Every step was passed, and nothing decided.
        Completed = "completed",
        /// It expired.
        Expired = "expired",
        /// No attempts are left.
        Failed = "failed",
        /// Somebody has to look at it.
        NeedsReview = "needs_review",
        /// The person was approved.
        Approved = "approved",
        /// The person was declined.
        Declined = "declined",
    }
}
