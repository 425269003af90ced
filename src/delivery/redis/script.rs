//! The operations as Lua scripts: each uses one script, one key and one round trip.
//!
//! `KEYS[1]` is the delivery. `ARGV` is the owner, a time in milliseconds, `1` if the operation is
//! repeated because the connection broke with its result unknown, and the value that marks the
//! delivery as completed by this owner.
//!
//! A claim is stored as 16 bytes and a completed delivery as 19 digits, so that the two cannot be
//! confused.

use std::sync::LazyLock;

use ::redis::Cmd;
use sha1::{Digest, Sha1};

use crate::{crypto::encoding::encode_hex, delivery::owner::Owner};

/// Results of [`CLAIM`]. Any other is the time left of another owner's lease, in milliseconds.
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

/// Always sent as source: if Redis hangs, the caller is gone and cannot resend after `NOSCRIPT`.
pub(super) static RELEASE: Script = Script {
    code: "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])",
    sha1: None,
};

/// The value that marks a delivery as completed by this owner. It is a number, because Redis stores
/// one inside the entry itself, and is derived from the owner, so that a repeated completion
/// recognises its own result. It always has 19 digits and never exceeds the largest number that
/// Redis stores this way.
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

/// A script, and the hash by which Redis knows it once it has run.
pub(super) struct Script {
    code: &'static str,
    /// `None` if the script is always sent as source.
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

    /// Calls the script by its hash, if it has one.
    pub(super) fn by_name(&self) -> Cmd {
        match &self.sha1 {
            Some(sha1) => command("EVALSHA", sha1),
            None => self.by_text(),
        }
    }

    /// Sends the source, for a Redis that does not know the script (yet, or after a restart). Redis
    /// then caches it.
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
    fn a_completion_is_a_number_of_19_digits_of_the_owner() {
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
