//! The values of Sumsub's fields.

open_enum! {
    /// What happened.
    EventType {
        /// An applicant was created.
        ApplicantCreated = "applicantCreated",
        /// The person has submitted everything.
        ApplicantPending = "applicantPending",
        /// The automatic checks have ended.
        ApplicantPrechecked = "applicantPrechecked",
        /// The review ended.
        ApplicantReviewed = "applicantReviewed",
        /// The review is on hold, and needs a decision by hand.
        ApplicantOnHold = "applicantOnHold",
        /// The person has to act.
        ApplicantAwaitingUser = "applicantAwaitingUser",
        /// Sumsub waits for another service.
        ApplicantAwaitingService = "applicantAwaitingService",
        /// A workflow ended.
        ApplicantWorkflowCompleted = "applicantWorkflowCompleted",
        /// A workflow ended without success.
        ApplicantWorkflowFailed = "applicantWorkflowFailed",
        /// The person's data were changed, maybe after an approval.
        ApplicantPersonalInfoChanged = "applicantPersonalInfoChanged",
        /// The tags were changed.
        ApplicantTagsChanged = "applicantTagsChanged",
        /// The applicant was activated.
        ApplicantActivated = "applicantActivated",
        /// The applicant was deactivated.
        ApplicantDeactivated = "applicantDeactivated",
        /// The applicant was deleted.
        ApplicantDeleted = "applicantDeleted",
        /// The person's data were deleted.
        ApplicantPersonalDataDeleted = "applicantPersonalDataDeleted",
        /// The verification starts over.
        ApplicantReset = "applicantReset",
        /// Something else is verified from now on.
        ApplicantLevelChanged = "applicantLevelChanged",
        /// An action waits for its review.
        ApplicantActionPending = "applicantActionPending",
        /// The review of an action ended.
        ApplicantActionReviewed = "applicantActionReviewed",
        /// An action is on hold.
        ApplicantActionOnHold = "applicantActionOnHold",
        /// The level of an action was changed.
        ApplicantActionLevelChanged = "applicantActionLevelChanged",
        /// The status of a video call changed.
        VideoIdentStatusChanged = "videoIdentStatusChanged",
        /// The recording of a video call is there.
        VideoIdentCompositionCompleted = "videoIdentCompositionCompleted",
        /// A transaction was created.
        ApplicantKytTxnCreated = "applicantKytTxnCreated",
        /// A transaction was approved.
        ApplicantKytTxnApproved = "applicantKytTxnApproved",
        /// A transaction was rejected.
        ApplicantKytTxnRejected = "applicantKytTxnRejected",
        /// A transaction that was on hold was reviewed.
        ApplicantKytTxnReviewed = "applicantKytTxnReviewed",
        /// A transaction was deleted.
        ApplicantKytTxnDeleted = "applicantKytTxnDeleted",
        /// A transaction is on hold.
        ApplicantKytOnHold = "applicantKytOnHold",
        /// A transaction waits for the person.
        ApplicantKytTxnAwaitingUser = "applicantKytTxnAwaitingUser",
        /// More is known of a transaction.
        ApplicantKytTxnDataChanged = "applicantKytTxnDataChanged",
        /// A case about a transaction was opened.
        KytCaseCreated = "kytCaseCreated",
        /// A case about a transaction was reviewed.
        KytCaseReviewed = "kytCaseReviewed",
        /// The status of a case about a transaction changed.
        KytCaseStatusChanged = "kytCaseStatusChanged",
        /// A case about a screening was approved.
        AmlCaseApproved = "amlCaseApproved",
        /// A case about a screening was rejected.
        AmlCaseRejected = "amlCaseRejected",
        /// A case about a screening is on hold.
        AmlCaseOnHold = "amlCaseOnHold",
        /// Something happened to a transfer under the travel rule.
        TravelRuleAction = "travelRuleAction",
        /// A company did something.
        KybCompanyActivity = "kybCompanyActivity",
    }
}

impl EventType {
    /// Whether it is about an applicant as such, and not about an action, a video call, a
    /// transaction, a case or a company. A name that is not known belongs to the family that it
    /// begins with.
    pub(super) fn is_about_an_applicant(&self) -> bool {
        const OTHERS: &[&str] = &[
            "applicantAction",
            "applicantKyt",
            "applicantKyb",
            "videoIdent",
            "kyt",
            "kyb",
            "aml",
            "travelRule",
        ];
        let name = self.as_str();
        !OTHERS.iter().any(|family| name.starts_with(family))
    }
}

open_enum! {
    /// Whether an applicant is a person.
    ApplicantType {
        /// A person.
        Individual = "individual",
        /// A company.
        Company = "company",
    }
}

open_enum! {
    /// How far a review is.
    ReviewStatus {
        /// It has not begun.
        Init = "init",
        /// It waits to begin.
        Pending = "pending",
        /// The automatic checks have ended.
        Prechecked = "prechecked",
        /// It waits for a reviewer.
        Queued = "queued",
        /// It ended.
        Completed = "completed",
        /// It is on hold.
        OnHold = "onHold",
        /// It waits for the person.
        AwaitingUser = "awaitingUser",
        /// It waits for another service.
        AwaitingService = "awaitingService",
    }
}

open_enum! {
    /// The answer of a review.
    Answer {
        /// The person passed.
        Green = "GREEN",
        /// The person failed.
        Red = "RED",
        /// No verdict.
        Yellow = "YELLOW",
    }
}

open_enum! {
    /// Whether a rejected person may try again.
    RejectType {
        /// The person may not.
        Final = "FINAL",
        /// The person may.
        Retry = "RETRY",
    }
}
