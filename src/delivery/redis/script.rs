//! The steps as Redis runs them: one script, one key, one round trip.
//!
//! `KEYS[1]` is the delivery. `ARGV` is the owner, a time in milliseconds, and `1` where the step is asked again because
//! the connection broke and nobody knows what happened.

use std::sync::LazyLock;

use ::redis::Cmd;
use sha1::{Digest, Sha1};

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
if string.sub(value, 1, 5) == 'done:' then return -2 end
local rest = redis.call('PTTL', KEYS[1])
if string.len(value) ~= 32 or rest < 0 then
  return redis.error_reply('ERR the value is not a delivery; delete it, or use another prefix')
end
return rest",
    )
});

pub(super) static COMPLETE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local value = redis.call('GET', KEYS[1])
local done = 'done:' .. ARGV[1]
if value ~= false and value ~= ARGV[1] then
  if ARGV[3] == '1' and value == done then return 1 end
  return 0
end
redis.call('SET', KEYS[1], done, 'PX', ARGV[2])
return 1",
    )
});

/// By its text always: where Redis hangs and nobody waits any longer, there is no second question.
pub(super) static RELEASE: Script = Script {
    code: "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])",
    sha1: None,
};

/// A script and the name by which Redis knows it, once it has seen it.
pub(super) struct Script {
    code: &'static str,
    /// `None` for one that goes by its text always.
    sha1: Option<String>,
}

impl Script {
    fn new(code: &'static str) -> Self {
        let sha1 = base16ct::lower::encode_string(&Sha1::digest(code));
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
