//! The shapes of a request with one change to its headers, its URL or how it is signed.

use crate::explain::{
    found::{Found, Named},
    head,
    hypothesis::{HYPOTHESES, Hypothesis, Rewrite, named},
    scheme,
    search::Search,
    shape::Shape,
    url,
};

impl Search<'_> {
    /// Every shape with one change.
    pub(super) fn changed_shapes(&self, shape: &Shape) -> Vec<(Vec<Found>, Shape)> {
        let mut all = self.shapes(shape, |_| true);
        let others = self.others.iter();
        for provider in others.filter(|other| other.name() != shape.provider.name()) {
            for mut scheme in provider.all_schemes() {
                scheme.require.clear();
                let found = vec![named("provider:NAME").with(provider.name())];
                let other = Shape {
                    provider: provider.clone(),
                    scheme,
                    ..shape.clone()
                };
                all.push((found, other));
            }
        }
        all
    }

    /// Without the readings of which there are many.
    pub(super) fn changed_shapes_for_pairs(&self, shape: &Shape) -> Vec<(Vec<Found>, Shape)> {
        let is_many = |name: &str| matches!(name, "provider:NAME" | "scheme:CONTENT");
        let mut all = self.shapes(shape, |hypothesis| !is_many(hypothesis.name));
        scheme::common_templates(shape, &mut |names, shape| push(&mut all, names, shape));
        all
    }

    fn shapes(
        &self,
        shape: &Shape,
        is_wanted: impl Fn(&Hypothesis) -> bool,
    ) -> Vec<(Vec<Found>, Shape)> {
        const MOST: usize = 1500;
        let mut all = Vec::new();
        // A request of another provider is no request with a renamed header.
        if is_wanted(named("provider:NAME")) {
            scheme::named_providers(shape, &mut |names, shape| push(&mut all, names, shape));
        }
        for hypothesis in HYPOTHESES.iter().filter(|hypothesis| is_wanted(hypothesis)) {
            let mut sink = |names: Vec<Named>, shape: Shape| {
                // One rewrite serves several hypotheses.
                let is_own = names
                    .first()
                    .is_some_and(|(name, _)| *name == hypothesis.name);
                if is_own && all.len() < MOST {
                    push(&mut all, names, shape);
                }
            };
            match hypothesis.rewrite {
                Rewrite::Head(rewrite) => rewrite(shape, &mut sink),
                Rewrite::Url => url::rewritten(shape, self.mounts, &mut sink),
                _ => {}
            }
            if hypothesis.name == "header:NAME" {
                // A signature that is elsewhere may be spelled otherwise, too.
                head::respelled(shape, &mut sink);
            }
        }
        all
    }
}

fn push(all: &mut Vec<(Vec<Found>, Shape)>, names: Vec<Named>, shape: Shape) {
    let found = names
        .into_iter()
        .map(|(name, detail)| named(name).with(detail));
    all.push((found.collect(), shape));
}
