//! The proof of a hypothesis: the verifier accepts the request under one of the known keys.

use std::{rc::Rc, time::UNIX_EPOCH};

use bytes::Bytes;

use crate::{
    explain::{
        found::Found,
        hypothesis::named,
        keys::KeyList,
        outcome::Match,
        scheme,
        search::{Flow, Search, Stop},
        shape::{Front, Keys},
    },
    rejection::Rejection,
    scheme::{algorithm::Keying, definition::Scheme},
};

const MORE_SECRETS: &str = "other secrets than the first 256";
const MORE_READINGS: &str = "readings of secrets beyond the first 4000";

impl Search<'_> {
    /// The keys for a scheme.
    fn list(&mut self, scheme: &Scheme) -> Rc<KeyList> {
        let is_public = scheme.algorithm().keying() == Keying::Public;
        let format = &scheme.secret_format;
        let known = self
            .lists
            .iter()
            .find(|(known, public, _)| known == format && *public == is_public);
        if let Some((_, _, list)) = known {
            return Rc::clone(list);
        }
        let at = (self.at != UNIX_EPOCH).then_some(self.at);
        let list = Rc::new(KeyList::new(self.secrets, format, is_public, at));
        if self.secrets.has_more {
            self.tried.leave_out(MORE_SECRETS);
        }
        if list.has_more {
            self.tried.leave_out(MORE_READINGS);
        }
        self.lists
            .push((format.clone(), is_public, Rc::clone(&list)));
        list
    }

    /// The prepared keys with as many changes.
    fn sets<'f>(&mut self, front: &'f mut Front, changes: usize) -> &'f [Keys] {
        let has = front.sets.get(changes).is_some_and(Option::is_some);
        if !has {
            let list = self.list(&front.shape.scheme);
            let sets = front.prepared(list.secrets(changes));
            if front.sets.len() <= changes {
                front.sets.resize_with(changes.saturating_add(1), || None);
            }
            if let Some(place) = front.sets.get_mut(changes) {
                *place = Some(sets);
            }
        }
        front
            .sets
            .get(changes)
            .and_then(Option::as_deref)
            .unwrap_or_default()
    }

    /// Verifies a body under all keys with as many changes.
    pub(super) fn prove(
        &mut self,
        front: &mut Front,
        changes: usize,
        body: &Bytes,
        body_found: &[Found],
    ) -> Flow {
        let sets = self.sets(front, changes).len();
        for place in 0..sets {
            if self.is_spent() {
                return Flow::Break(Stop::Budget);
            }
            let Some(Some(set)) = front
                .sets
                .get(changes)
                .map(|sets| sets.as_ref().and_then(|sets| sets.get(place)).cloned())
            else {
                continue;
            };
            self.tried.count(set.set.keys().len());
            let Some(key) = front.proves(&set, body) else {
                continue;
            };
            let list = self.list(&front.shape.scheme);
            let Some(reading) = list.by_changes.get(changes).and_then(|list| list.get(key)) else {
                continue;
            };
            let mut found = front.found.clone();
            let of_head = found.len();
            found.extend(reading.found.iter().cloned());
            // The secret comes first in a name, then the body, then the rest.
            found.rotate_left(of_head);
            let of_secret = reading.found.len();
            for (place, one) in body_found.iter().enumerate() {
                found.insert(of_secret.saturating_add(place), one.clone());
            }
            let mut also = reading.also.clone();
            if let ([one], true) = (body_found, of_head == 0 && of_secret == 0) {
                also.extend(self.same_bodies(one, body));
            }
            let mut refusal = front.refusal_at(&set.set, body, self.at, self.tolerance);
            if refusal.is_some() {
                if let Some(unit) = self.other_unit(front, changes, body) {
                    found.push(unit);
                    refusal = None;
                } else if let Some((unit, late)) = self.misread(front, &set, changes, body) {
                    found.push(unit);
                    refusal = late;
                }
            }
            return Flow::Break(Stop::Found(Box::new(Match {
                found,
                also,
                label: reading.label.clone(),
                is_outside_window: reading.is_outside_window,
                body: body.clone(),
                refusal,
                scheme: front.shape.scheme.clone(),
            })));
        }
        Flow::Continue(())
    }

    /// The unit in which no clock accepts the time and in another one some do, and the refusal in
    /// that one.
    fn misread(
        &mut self,
        front: &Front,
        set: &Keys,
        changes: usize,
        body: &Bytes,
    ) -> Option<(Found, Option<Rejection>)> {
        let unit = front.shape.scheme.timestamp.as_ref()?.unit;
        let (_, factor) = scheme::misread(front.seconds(set, body)?)?;
        let name = scheme::misread_name(unit, factor)?;
        let mut late = None;
        let mut units = Vec::new();
        scheme::time_units(&front.shape, &mut |names, shape| units.push((names, shape)));
        for (names, shape) in units {
            let is_unit = names.iter().any(|(unit, _)| *unit == name);
            if let Some(mut front) = is_unit
                .then(|| Front::new(shape, Vec::new(), self.at))
                .flatten()
            {
                let sets = self.sets(&mut front, changes).to_vec();
                let set = sets.iter().find(|set| front.proves(set, body).is_some());
                late =
                    set.and_then(|set| front.refusal_at(&set.set, body, self.at, self.tolerance));
            }
        }
        Some((named(name).with(""), late))
    }

    /// The unit in which the time is inside the window.
    fn other_unit(&mut self, front: &Front, changes: usize, body: &Bytes) -> Option<Found> {
        if self.at == UNIX_EPOCH {
            return None;
        }
        let mut units = Vec::new();
        scheme::time_units(&front.shape, &mut |names, shape| units.push((names, shape)));
        for (names, shape) in units {
            let Some(mut front) = Front::new(shape, Vec::new(), self.at) else {
                continue;
            };
            let sets = self.sets(&mut front, changes).to_vec();
            let is_right = |set: &Keys| {
                front.proves(set, body).is_some()
                    && front
                        .refusal_at(&set.set, body, self.at, self.tolerance)
                        .is_none()
            };
            if sets.iter().any(is_right) {
                return names
                    .into_iter()
                    .next()
                    .map(|(name, _)| named(name).with(""));
            }
        }
        None
    }
}
