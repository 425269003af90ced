//! The setup of the peers, which is the same in every place.

use crate::workload::{Style, Workload};

pub(crate) fn webhook_verify(
    workload: Workload,
) -> (webhook_verify::Provider, webhook_verify::Secret) {
    let provider = match workload.style {
        Style::GitHub => webhook_verify::Provider::GitHub,
        Style::Standard => webhook_verify::Provider::StandardWebhooks,
    };
    (provider, webhook_verify::Secret::new(workload.secret()))
}

pub const WEBHOOK_VERIFY: &str = "webhook-verify";
pub const TOWER_GITHUB: &str = "tower-github-webhook";
