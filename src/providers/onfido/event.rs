//! Typed events.

use serde::Deserialize;
use serde_json::Value;

use crate::{
    error::PayloadError,
    event::{Payload, VerifiedEvent},
    identity::{Identity, Outcome},
    providers::typed,
};

/// The fields that decide what an event says.
const DECIDES: &[&str] = &[
    "/payload/action",
    "/payload/resource_type",
    "/payload/object/id",
    "/payload/object/status",
    "/payload/resource/id",
    "/payload/resource/status",
];

pub(super) fn identity(event: &VerifiedEvent) -> Result<Option<Identity>, PayloadError> {
    let Event::Notification(read) = Event::from_event(event)? else {
        return Ok(None);
    };
    let (outcome, is_final) = match read.action {
        Action::WorkflowRunCompleted => read.run_outcome(),
        Action::CheckStarted | Action::CheckReopened | Action::CheckFormCompleted => {
            (Outcome::Pending, false)
        }
        Action::CheckWithdrawn => (Outcome::Expired, true),
        Action::CheckCompleted => (Outcome::Undisclosed, false),
        _ => return Ok(None),
    };
    let completed = read.object.completed_at_iso8601.as_deref();
    let identity = Identity::new(outcome, is_final)
        .with_session(read.object.id)
        .with_occurred_at(completed.and_then(typed::time));
    let Some(resource) = read.resource else {
        return Ok(Some(identity));
    };
    Ok(Some(
        identity
            .with_subject(resource.customer_user_id.unwrap_or_default())
            .with_level(resource.workflow_id.unwrap_or_default())
            .with_reasons(resource.reasons.unwrap_or_default()),
    ))
}

impl Notification {
    /// Whether the body says in two places what the object is, and not the same.
    fn is_of_another_object(&self) -> bool {
        let of_resource = self.resource.as_ref();
        let of_resource = of_resource.and_then(|resource| resource.id.as_deref());
        typed::differ(self.resource_type.as_deref(), Some("workflow_run"))
            || typed::differ(of_resource, Some(&self.object.id))
    }

    /// The outcome of a completed run of a workflow.
    fn run_outcome(&self) -> (Outcome, bool) {
        let of_resource = self
            .resource
            .as_ref()
            .and_then(|resource| resource.status.as_ref());
        let statuses = [self.object.status.as_ref(), of_resource];
        let mut statuses = statuses.into_iter().flatten();
        let Some(status) = statuses.next() else {
            return (Outcome::Other, false);
        };
        if statuses.any(|other| other != status) {
            return (Outcome::Other, false);
        }
        match status {
            Status::Approved => typed::approval(self.is_of_another_object()),
            Status::Declined => (Outcome::Rejected, true),
            Status::Review => (Outcome::Review, true),
            Status::Abandoned => (Outcome::Expired, true),
            Status::Error => (Outcome::Other, true),
            _ => (Outcome::Other, false),
        }
    }
}

events! {
    /// An event of Onfido. Its `Debug` shows the action, ids and statuses, and no content of
    /// [`Other`](Self::Other).
    "onfido" read by read {
        /// Something happened to an object.
        Notification,
    }
    Other:
    /// An event with an undocumented action. The object has at least one field.
}

fn read(event: &VerifiedEvent) -> Result<Event, PayloadError> {
    let Body {
        payload: Kind { action },
    } = event.read()?;
    if !action.is_known() {
        return event.read_unknown().map(Event::Other);
    }
    let Body::<Notification> { payload } = event.read_decided_by(DECIDES)?;
    Ok(payload.into())
}

#[derive(Deserialize)]
struct Body<P> {
    payload: P,
}

#[derive(Deserialize)]
struct Kind {
    action: Action,
}

records! {
    /// What happened to an object.
    Notification shows [resource_type, action, object, resource] {
        /// The kind of the object, such as `workflow_run` or `check`.
        resource_type: Option<String>,
        /// What happened.
        action: Action,
        /// The object, in short.
        object: Object,
        /// The object as the API returns it, with newer payload versions only.
        resource: Option<Resource>,
    }

    /// The object that something happened to, in short.
    Object shows [id, status, task_def_id, workflow_run_id] {
        /// The id of the object.
        id: String,
        /// Its status.
        status: Option<Status>,
        /// When it was started: ISO 8601.
        started_at_iso8601: Option<String>,
        /// When it was completed: ISO 8601.
        completed_at_iso8601: Option<String>,
        /// Its address in the API.
        href: Option<String>,
        /// The id of a task within a run.
        task_spec_id: Option<String>,
        /// The kind of a task.
        task_def_id: Option<String>,
        /// The run that a task belongs to.
        workflow_run_id: Option<String>,
    }

    /// An object as the API returns it.
    Resource shows [id, status, workflow_id, workflow_run_id, workflow_version_id, task_def_id] {
        /// The id of the object.
        id: Option<String>,
        /// The id of the person.
        applicant_id: Option<String>,
        /// Its status.
        status: Option<Status>,
        /// When it was created: ISO 8601.
        created_at: Option<String>,
        /// When it was changed last: ISO 8601.
        updated_at: Option<String>,
        /// Its page in the dashboard.
        dashboard_url: Option<String>,
        /// The workflow that ran.
        workflow_id: Option<String>,
        /// The run that a task belongs to.
        workflow_run_id: Option<String>,
        /// The version of the workflow.
        workflow_version_id: Option<i64>,
        /// The kind of a task.
        task_def_id: Option<String>,
        /// The version of that kind.
        task_def_version: Option<String>,
        /// What the workflow or the task began with.
        input: Option<Value>,
        /// What the workflow or the task ended with: an object, or a list in one of the vendor's
        /// samples.
        output: Option<Value>,
        /// The reasons for the result of a run.
        reasons: Option<Vec<String>>,
        /// The tags of a run.
        tags: Option<Vec<String>>,
        /// The link by which the person takes part.
        link: Option<Link>,
        /// Why a run failed.
        error: Option<RunError>,
        /// Your own reference for the person.
        customer_user_id: Option<String>,
        /// A link to the timeline of the run, which needs no password until it expires.
        timeline_file_download_url: Option<String>,
    }

    /// The link by which a person takes part in a run.
    Link shows [expires_at, language] {
        /// The address, which is personal.
        url: Option<String>,
        /// Where the person is sent at the end.
        completed_redirect_url: Option<String>,
        /// Where the person is sent if the link has expired.
        expired_redirect_url: Option<String>,
        /// When the link expires: ISO 8601.
        expires_at: Option<String>,
        /// The language, such as `pt_PT`.
        language: Option<String>,
    }

    /// Why a run failed.
    RunError shows [error_type] {
        /// The kind of the error.
        #[serde(rename = "type")]
        error_type: Option<String>,
        /// A description.
        message: Option<String>,
    }
}

open_enum! {
    /// What happened to which kind of object.
    Action {
        /// An entry was added to the audit log.
        AuditLogCreated = "audit_log.created",
        /// The monitoring of a watchlist has other matches.
        WatchlistMonitorMatchesUpdated = "watchlist_monitor.matches_updated",
        /// The run of a workflow ended. Its status is the decision about the person.
        WorkflowRunCompleted = "workflow_run.completed",
        /// A task of a run began.
        WorkflowTaskStarted = "workflow_task.started",
        /// A task of a run ended.
        WorkflowTaskCompleted = "workflow_task.completed",
        /// A check began.
        CheckStarted = "check.started",
        /// A check was opened again.
        CheckReopened = "check.reopened",
        /// A check was withdrawn.
        CheckWithdrawn = "check.withdrawn",
        /// A check ended. Its result is in the API only.
        CheckCompleted = "check.completed",
        /// The person has filled in the form of a check.
        CheckFormCompleted = "check.form_completed",
        /// A report was withdrawn.
        ReportWithdrawn = "report.withdrawn",
        /// A report goes on.
        ReportResumed = "report.resumed",
        /// A report was cancelled.
        ReportCancelled = "report.cancelled",
        /// A report has to be approved.
        ReportAwaitingApproval = "report.awaiting_approval",
        /// A report ended.
        ReportCompleted = "report.completed",
        /// The file with the timeline of a run is there.
        WorkflowTimelineFileCreated = "workflow_timeline_file.created",
        /// The folder with the evidence of a run is there.
        WorkflowRunEvidenceFolderCreated = "workflow_run_evidence_folder.created",
        /// The signed file with the evidence of a run is there.
        WorkflowSignedEvidenceFileCreated = "workflow_signed_evidence_file.created",
    }
}

open_enum! {
    /// The status of a run, a task, a check or a report.
    Status {
        /// The vendor is working.
        Processing = "processing",
        /// The person has to act.
        AwaitingInput = "awaiting_input",
        /// You have to act.
        AwaitingClientInput = "awaiting_client_input",
        /// A run approved the person.
        Approved = "approved",
        /// A run declined the person.
        Declined = "declined",
        /// A run ended with the request to review it.
        Review = "review",
        /// The person did not finish.
        Abandoned = "abandoned",
        /// A run failed.
        Error = "error",
        /// A task began.
        Started = "started",
        /// A report was cancelled.
        Cancelled = "cancelled",
        /// A task ended.
        Completed = "completed",
        /// A report waits for data.
        AwaitingData = "awaiting_data",
        /// A report has to be approved.
        AwaitingApproval = "awaiting_approval",
        /// A check or a report ended, whatever its result.
        Complete = "complete",
        /// A check or a report was withdrawn.
        Withdrawn = "withdrawn",
        /// A check is in progress.
        InProgress = "in_progress",
        /// A check waits for the person.
        AwaitingApplicant = "awaiting_applicant",
        /// A report is paused.
        Paused = "paused",
        /// A check was opened again.
        Reopened = "reopened",
    }
}
