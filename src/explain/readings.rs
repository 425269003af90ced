//! The readings of a body, each once.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
    ops::ControlFlow,
};

use bytes::Bytes;

use crate::explain::{
    body::json::document::has_too_many_values,
    found::Found,
    hypothesis::{HYPOTHESES, Hypothesis, Rewrite},
    search::{Flow, Search, Stop},
};

/// The longest body that is read anew, in bytes.
const LONGEST_BODY: usize = 4 << 20;
const LONG_BODIES: &str = "readings of bodies longer than 4 MiB";
const RICH_BODIES: &str = "readings of JSON with more than 262,144 values";

impl Search<'_> {
    /// The names of the other changes that give the same body.
    pub(super) fn same_bodies(&self, found: &Found, wanted: &Bytes) -> Vec<String> {
        const LONGEST: usize = 1 << 20;
        const MOST: usize = 4;
        let mut names: Vec<String> = Vec::new();
        if wanted.len() > LONGEST || self.body.len() > LONGEST {
            return names;
        }
        let own = found.name();
        for hypothesis in HYPOTHESES {
            let Rewrite::Body(rewrite) = hypothesis.rewrite else {
                continue;
            };
            if names.len() >= MOST {
                break;
            }
            let _ = rewrite(&self.body, self.declared, &mut |detail, body| {
                let name = hypothesis.with(detail).name();
                let is_known = |known: &String| *known == name || is_style_within(known, &name);
                if body == *wanted && !is_known(&own) && !names.iter().any(is_known) {
                    names.push(name);
                }
                if names.len() < MOST && !self.is_spent() {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            });
        }
        names
    }

    /// Every reading of a body with one change.
    pub(super) fn bodies(
        &mut self,
        from: &Bytes,
        with_many: bool,
        visit: &mut dyn FnMut(&mut Self, Found, &Bytes) -> Flow,
    ) -> Flow {
        let mut seen = HashSet::from([digest(from)]);
        let many = HYPOTHESES
            .iter()
            .filter(|_| with_many)
            .filter(|hypothesis| hypothesis.name == "json:TWO");
        let one = HYPOTHESES
            .iter()
            .filter(|hypothesis| matches!(hypothesis.rewrite, Rewrite::Body(_)));
        for hypothesis in one.chain(many) {
            self.readings_of(hypothesis, from, &mut seen, visit)?;
        }
        Flow::Continue(())
    }

    pub(super) fn bodies_of(
        &mut self,
        hypothesis: &'static Hypothesis,
        from: &Bytes,
        visit: &mut dyn FnMut(&mut Self, Found, &Bytes) -> Flow,
    ) -> Flow {
        let mut seen = HashSet::from([digest(from)]);
        self.readings_of(hypothesis, from, &mut seen, visit)
    }

    fn readings_of(
        &mut self,
        hypothesis: &'static Hypothesis,
        from: &Bytes,
        seen: &mut HashSet<u64>,
        visit: &mut dyn FnMut(&mut Self, Found, &Bytes) -> Flow,
    ) -> Flow {
        let (Rewrite::Body(rewrite) | Rewrite::ManyBodies(rewrite)) = hypothesis.rewrite else {
            return Flow::Continue(());
        };
        // A document takes many times its length while it is read.
        if from.len() > LONGEST_BODY {
            self.tried.leave_out(LONG_BODIES);
            return Flow::Continue(());
        }
        let is_json = matches!(from.trim_ascii_start().first(), Some(b'{' | b'['));
        if is_json && has_too_many_values(from) {
            self.tried.leave_out(RICH_BODIES);
        }
        let mut flow = Flow::Continue(());
        let declared = self.declared;
        let _ = rewrite(from, declared, &mut |detail, body| {
            if self.is_spent() {
                flow = Flow::Break(Stop::Budget);
                return ControlFlow::Break(());
            }
            let body = Bytes::from(body);
            if !seen.insert(digest(&body)) {
                return ControlFlow::Continue(());
            }
            flow = visit(self, hypothesis.with(detail), &body);
            if flow.is_break() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        flow
    }
}

/// Whether both are styles of JSON or of forms, and the other is the one with further differences,
/// of which this body shows none.
fn is_style_within(one: &str, other: &str) -> bool {
    let styles = |family: &str| Some((one.strip_prefix(family)?, other.strip_prefix(family)?));
    let Some((one, other)) = styles("json:").or_else(|| styles("form-reencoded:")) else {
        return false;
    };
    let mut words = one.split('+').filter(|word| *word != "compact");
    words.all(|word| other.split('+').any(|other| other == word))
}

/// To recognise a body that was tried. A collision would leave one reading out.
fn digest(body: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    hasher.finish()
}
