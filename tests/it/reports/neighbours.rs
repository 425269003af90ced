//! Each hint is given to the requests that need it, and to none of their neighbours.

use tower_webhook::Hint;

use super::table::rows;

#[test]
fn requests_have_exactly_these_hints() {
    let rows = rows().into_iter();
    let wrong = rows.filter_map(|row| {
        let outcome = row.site.outcome(&row.request);
        let is_wrong = outcome != row.outcome;
        is_wrong.then(|| {
            format!(
                "{}: {}: {outcome}, not {}",
                row.about, row.what, row.outcome
            )
        })
    });
    let wrong: Vec<_> = wrong.collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_hint_has_requests_with_it_and_neighbours_without() {
    let rows = rows();
    for row in &rows {
        assert!(row.about.parse::<Hint>().is_ok(), "{}", row.about);
    }
    // The limit of an outer layer is not the verifier's: the tests of the hosts have it.
    for hint in Hint::ALL.iter().filter(|hint| **hint != Hint::OuterLimit) {
        let about = || rows.iter().filter(|row| row.about == hint.as_str());
        let with = about().filter(|row| row.has_hint()).count();
        let without = about().filter(|row| !row.has_hint()).count();
        assert!(
            with > 0 && without > 0,
            "{hint}: {with} with, {without} without"
        );
    }
}
