//! The steps as Redis runs them: one script, one key, one round trip.
//!
//! `KEYS[1]` is the delivery. `ARGV` is the owner, a time in milliseconds, `1` where the step is asked again because the
//! connection broke and nobody knows what happened, and what the owner leaves behind when it completes.
//!
//! A claim has 16 bytes and a completed delivery 19 digits, so that the one is never taken for the other.

use std::sync::LazyLock;

use ::redis::Cmd;
use sha1::{Digest, Sha1};

use crate::{crypto::encoding::encode_hex, delivery::owner::Owner};

/// [`CLAIM`]'s answers. Any other is the rest of another's lease, in milliseconds.
pub(super) const NEW: i64 = -1;
pub(super) const DONE: i64 = -2;

pub(super) static CLAIM: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local value = redis.call('GET', KEYS[1])
if value == false or value == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return -1
end
local length = string.len(value)
if length == 19 and string.find(value, '^[1-8]%d+$') then return -2 end
local rest = redis.call('PTTL', KEYS[1])
if length ~= 16 or rest < 0 then
  return redis.error_reply('ERR the value is not a delivery; delete it, or use another namespace')
end
return rest",
    )
});

pub(super) static COMPLETE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local value = redis.call('GET', KEYS[1])
if value ~= false and value ~= ARGV[1] then
  if ARGV[3] == '1' and value == ARGV[4] then return 1 end
  return 0
end
redis.call('SET', KEYS[1], ARGV[4], 'PX', ARGV[2])
return 1",
    )
});

/// By its text always: where Redis hangs and nobody waits any longer, there is no second question.
pub(super) static RELEASE: Script = Script {
    code: "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])",
    sha1: None,
};

/// What stands for a delivery that this owner completed: a number, since Redis keeps one inside the entry itself, and one of
/// the owner's, so that a completion that is asked again recognises its own work. Always 19 digits, and never more than
/// the largest that Redis keeps so.
pub(super) fn completed_by(owner: Owner) -> i64 {
    const SMALLEST: u64 = 1_000_000_000_000_000_000;
    const LARGEST: u64 = 8_999_999_999_999_999_999;
    let [.., a, b, c, d, e, f, g, h] = *owner.as_bytes();
    let count = LARGEST.abs_diff(SMALLEST).saturating_add(1);
    let number = u64::from_be_bytes([a, b, c, d, e, f, g, h])
        .checked_rem(count)
        .unwrap_or_default();
    number.saturating_add(SMALLEST).cast_signed()
}

/// A script and the name by which Redis knows it, once it has seen it.
pub(super) struct Script {
    code: &'static str,
    /// `None` for one that goes by its text always.
    sha1: Option<String>,
}

impl Script {
    fn new(code: &'static str) -> Self {
        let sha1 = encode_hex(&Sha1::digest(code));
        Self {
            code,
            sha1: Some(sha1),
        }
    }

    /// By name, if it has one.
    pub(super) fn by_name(&self) -> Cmd {
        match &self.sha1 {
            Some(sha1) => command("EVALSHA", sha1),
            None => self.by_text(),
        }
    }

    /// By its text, for a Redis that does not know it (yet, or after a restart). Redis then does.
    pub(super) fn by_text(&self) -> Cmd {
        command("EVAL", self.code)
    }
}

fn command(name: &str, script: &str) -> Cmd {
    let mut command = ::redis::cmd(name);
    command.arg(script).arg(1);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_completed_is_a_number_of_19_digits_of_the_owner() {
        let mut numbers: Vec<_> = (0..1000).map(|_| completed_by(Owner::unique())).collect();
        assert!(numbers.iter().all(|number| number.to_string().len() == 19));
        assert!(
            numbers
                .iter()
                .all(|number| *number < 9_000_000_000_000_000_000)
        );
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), 1000);
        let owner = Owner::unique();
        assert_eq!(completed_by(owner), completed_by(owner));
    }
}
