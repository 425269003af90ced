//! The values that fields of events may have.

open_enum! {
    /// What happened to which kind of object.
    WebhookType {
        /// A session has another status.
        StatusUpdated = "status.updated",
        /// The data of a session were changed.
        DataUpdated = "data.updated",
        /// A user has another status.
        UserStatusUpdated = "user.status.updated",
        /// The data of a user were changed.
        UserDataUpdated = "user.data.updated",
        /// A business has another status.
        BusinessStatusUpdated = "business.status.updated",
        /// The data of a business were changed.
        BusinessDataUpdated = "business.data.updated",
        /// An activity was recorded.
        ActivityCreated = "activity.created",
        /// A transaction was recorded.
        TransactionCreated = "transaction.created",
        /// A transaction has another status.
        TransactionStatusUpdated = "transaction.status.updated",
        /// A message of the travel rule has another status.
        TravelRuleStatusUpdated = "travel_rule.status.updated",
    }
}

impl WebhookType {
    pub(super) fn is_about_a_session(&self) -> bool {
        matches!(self, Self::StatusUpdated | Self::DataUpdated)
    }
}

open_enum! {
    /// Where a session ran.
    Environment {
        /// With real people.
        Live = "live",
        /// For tests.
        Sandbox = "sandbox",
    }
}

open_enum! {
    /// Whom a session is about.
    SessionKind {
        /// A person.
        User = "user",
        /// A business.
        Business = "business",
    }
}

open_enum! {
    /// The status of a session or of one of its modules. Upper and lower case count.
    Status {
        /// The person has not begun.
        NotStarted = "Not Started",
        /// The person is at it.
        InProgress = "In Progress",
        /// The person has to act.
        AwaitingUser = "Awaiting User",
        /// Somebody has to look at it.
        InReview = "In Review",
        /// It was approved.
        Approved = "Approved",
        /// It was declined.
        Declined = "Declined",
        /// The person has to hand something in again.
        Resubmitted = "Resubmitted",
        /// The person did not begin in time.
        Expired = "Expired",
        /// An approval is no longer valid.
        KycExpired = "Kyc Expired",
        /// The person did not finish in time.
        Abandoned = "Abandoned",
        /// A module is not finished.
        NotFinished = "Not Finished",
        /// A module has to be repeated.
        ResubRequested = "Resub Requested",
    }
}
