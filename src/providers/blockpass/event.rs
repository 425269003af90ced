//! Typed events.

use std::time::SystemTime;

use serde::Deserialize;

use crate::{
    error::PayloadError,
    event::{Payload, VerifiedEvent},
    identity::{Identity, Outcome},
    providers::typed,
};

/// The fields that decide what an event says.
const DECIDES: &[&str] = &["/event", "/status", "/recordId", "/isPing", "/env"];

pub(super) fn identity(event: &VerifiedEvent) -> Result<Option<Identity>, PayloadError> {
    let read = match Event::from_event(event)? {
        Event::Notification(read) => *read,
        // An event that is not known is about a person all the same.
        Event::Other(_) => match event.read_decided_by(DECIDES) {
            Ok(read) => read,
            Err(_) => return Ok(None),
        },
    };
    if read.is_ping == Some(true) {
        return Ok(None);
    }
    let Some(session) = &read.record_id else {
        return Ok(None);
    };
    let (outcome, is_final) = read.outcome();
    Ok(Some(
        Identity::new(outcome, is_final)
            .with_session(session.clone())
            .with_occurred_at(read.occurred_at())
            .with_test(read.env.map(|name| name != Environment::Prod))
            .with_subject(read.ref_id.unwrap_or_default())
            .with_level(read.client_id.unwrap_or_default()),
    ))
}

impl Notification {
    fn outcome(&self) -> (Outcome, bool) {
        match self.event {
            EventName::ReviewApproved if self.status == Some(Status::Approved) => {
                (Outcome::Approved, true)
            }
            EventName::ReviewRejected => (Outcome::Rejected, false),
            EventName::UserBlocked => (Outcome::Rejected, true),
            EventName::UserInReview => (Outcome::Review, false),
            EventName::UserReadyToReview => (Outcome::Pending, false),
            EventName::UserCreated => (Outcome::InProgress, false),
            EventName::UserDeleted => (Outcome::Expired, true),
            _ => (Outcome::Other, false),
        }
    }

    /// When the event happened, for those that the body has a time of.
    #[must_use]
    pub fn occurred_at(&self) -> Option<SystemTime> {
        let date = match self.event {
            EventName::ReviewApproved => &self.approved_date,
            EventName::UserInReview => &self.inreview_date,
            EventName::UserReadyToReview => &self.waiting_date,
            _ => return None,
        };
        typed::time(date.as_deref()?)
    }
}

events! {
    /// An event of Blockpass. Its `Debug` shows the event, ids and the status, and no content of
    /// [`Other`](Self::Other).
    "blockpass" read by read {
        /// Something happened to a person's record.
        Notification,
    }
    Other:
    /// An event that is not known, or a ping without one. The object has at least one field.
}

fn read(event: &VerifiedEvent) -> Result<Event, PayloadError> {
    let Kind {
        event: name,
        is_ping,
    } = event.read()?;
    let is_ping = is_ping == Some(true);
    match name {
        Some(name) if name.is_known() => {
            let read: Notification = event.read_decided_by(DECIDES)?;
            if read.record_id.is_none() && !is_ping {
                return Err(PayloadError::new("the field `recordId` is missing"));
            }
            Ok(read.into())
        }
        None if !is_ping => Err(PayloadError::new("the field `event` is missing")),
        _ => event.read_unknown().map(Event::Other),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kind {
    event: Option<EventName>,
    is_ping: Option<bool>,
}

records! {
    /// Something happened to a person's record.
    #[serde(rename_all = "camelCase")]
    Notification shows [guid, status, client_id, event, record_id, is_ping, env] {
        /// The id of the record's version.
        guid: Option<String>,
        /// The status of the record.
        status: Option<Status>,
        /// The service that the person registered with.
        client_id: Option<String>,
        /// What happened.
        event: EventName,
        /// The id of the record.
        record_id: Option<String>,
        /// Your own reference for the person.
        ref_id: Option<String>,
        /// How often the person has handed in.
        submit_count: Option<i64>,
        /// The id of the person at Blockpass.
        #[serde(rename = "blockPassID")]
        block_pass_id: Option<String>,
        /// Whether the record is archived.
        is_archived: Option<bool>,
        /// Since when somebody looks at it: ISO 8601.
        inreview_date: Option<String>,
        /// Since when it waits: ISO 8601.
        waiting_date: Option<String>,
        /// When it was approved: ISO 8601.
        approved_date: Option<String>,
        /// Whether it is a test of the connection.
        is_ping: Option<bool>,
        /// Where the record is.
        env: Option<Environment>,
        /// The id of the webhook.
        webhook_id: Option<String>,
    }
}

open_enum! {
    /// What happened to a person's record.
    EventName {
        /// The person registered.
        UserCreated = "user.created",
        /// The person handed in.
        UserReadyToReview = "user.readyToReview",
        /// Somebody is looking at it.
        UserInReview = "user.inReview",
        /// The person was approved.
        ReviewApproved = "review.approved",
        /// The person was rejected, and may hand in again.
        ReviewRejected = "review.rejected",
        /// The person was blocked.
        UserBlocked = "user.blocked",
        /// The data were deleted.
        UserDeleted = "user.deleted",
    }
}

open_enum! {
    /// The status of a record.
    Status {
        /// The person has not handed in everything.
        Incomplete = "incomplete",
        /// It waits for somebody.
        Waiting = "waiting",
        /// Somebody is looking at it.
        InReview = "inreview",
        /// It was approved.
        Approved = "approved",
        /// It was rejected.
        Rejected = "rejected",
        /// The person was blocked.
        Blocked = "blocked",
    }
}

open_enum! {
    /// Where a record is.
    Environment {
        /// With real people.
        Prod = "prod",
    }
}
