//! `CachedKeys`: keys that are looked up, and remembered for a while.

use tokio::{runtime::Handle, sync::Semaphore, task::yield_now, time::timeout};
use tower_webhook::keys::CachedKeys;

use super::*;

/// Longer than anything here takes on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(60);

type Found = Result<Option<Tenant>, KeySourceError>;

/// What is behind the cache: it knows the tenants whose names begin with `acme`, and counts how
/// often it is asked.
#[derive(Clone)]
struct Table {
    asked: Arc<AtomicUsize>,
    /// A look-up waits for a permit.
    permits: Arc<Semaphore>,
}

impl Table {
    fn open() -> Self {
        Self::with_permits(Semaphore::MAX_PERMITS)
    }

    fn shut() -> Self {
        Self::with_permits(0)
    }

    fn with_permits(permits: usize) -> Self {
        Self {
            asked: Arc::default(),
            permits: Arc::new(Semaphore::new(permits)),
        }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// Waits until it was asked this often.
    async fn until_asked(&self, times: usize) {
        until(|| self.asked() >= times, || self.asked().to_string()).await;
    }

    async fn look_up(self, name: String) -> Found {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.permits.acquire().await?.forget();
        Ok(name.starts_with("acme").then(|| tenant(&name, SECRET)))
    }

    fn source(&self) -> CachedKeys {
        let table = self.clone();
        source(move |name| table.clone().look_up(name))
    }
}

fn source<F>(load: impl Fn(String) -> F + Send + Sync + 'static) -> CachedKeys
where
    F: Future<Output = Found> + Send + 'static,
{
    let name = |head: &Head<'_>| head.path().strip_prefix("/hooks/").map(str::to_owned);
    CachedKeys::new(name, load)
}

/// Asks as a layer does. The id of the tenant.
async fn ask(source: &CachedKeys, name: &str) -> Result<Option<String>, KeySourceError> {
    let none: [(&str, &str); 0] = [];
    let path = format!("/hooks/{name}");
    let found = source.keys(&KeyRequest::new(&Head::new(&none).with_target(&path)));
    Ok(found.await?.map(|tenant| tenant.id().unwrap().to_owned()))
}

/// Asks once in each of so many tasks, and returns when all of them wait.
async fn crowd(
    source: &CachedKeys,
    name: &'static str,
    size: usize,
) -> Vec<tokio::task::JoinHandle<Result<Option<String>, KeySourceError>>> {
    let before = tasks();
    let asking = (0..size).map(|_| {
        let source = source.clone();
        tokio::spawn(async move { ask(&source, name).await })
    });
    let asking = asking.collect();
    // Each has begun a task of its own.
    until_tasks(before + 2 * size).await;
    asking
}

fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

async fn until_tasks(expected: usize) {
    until(|| tasks() == expected, || format!("{} tasks", tasks())).await;
}

/// Lets others run until it is so. By the clock of the machine, since one that stands still would
/// wait for ever.
async fn until(is_so: impl Fn() -> bool, found: impl Fn() -> String) {
    let began = std::time::Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "waited in vain: {}", found());
        yield_now().await;
    }
}

#[tokio::test]
async fn a_tenant_is_looked_up_once_and_found_through_the_layer() {
    let table = Table::open();
    let layer = layer(table.source());
    for _ in 0..3 {
        let answer = send_whole(&layer, signed("/hooks/acme", SECRET, "body")).await;
        assert_eq!(event(&answer).tenant(), Some("acme"));
        let answer = send_whole(&layer, signed("/hooks/none", SECRET, "body")).await;
        assert_eq!(kind(&answer), Some(RejectionKind::UnknownTenant));
    }
    assert_eq!(table.asked(), 2);
    let forged = send_whole(&layer, signed("/hooks/acme", OTHER_SECRET, "body")).await;
    assert_eq!(kind(&forged), Some(RejectionKind::SignatureMismatch));
    // A head without a name is nobody's, and nothing is looked up for it.
    let answer = send_whole(&layer, signed("/elsewhere", SECRET, "body")).await;
    assert_eq!(kind(&answer), Some(RejectionKind::UnknownTenant));
    assert_eq!(table.asked(), 2);
}

#[tokio::test]
async fn what_was_found_is_remembered_for_its_lifetime_and_no_longer() {
    const SHORT: Duration = Duration::from_millis(100);
    const LONG: Duration = Duration::from_secs(3600);
    for (name, other, known, unknown) in
        [("acme", "none", SHORT, LONG), ("none", "acme", LONG, SHORT)]
    {
        let table = Table::open();
        let source = table
            .source()
            .with_lifetime(known)
            .with_negative_lifetime(unknown);
        ask(&source, other).await.unwrap();
        let began = std::time::Instant::now();
        ask(&source, name).await.unwrap();
        while table.asked() == 2 {
            assert!(began.elapsed() < PATIENCE, "{name} is remembered for ever");
            ask(&source, name).await.unwrap();
        }
        assert!(began.elapsed() >= SHORT, "{name}: {:?}", began.elapsed());
        ask(&source, other).await.unwrap();
        assert_eq!(table.asked(), 3, "{other} is remembered still");
    }
}

#[tokio::test]
async fn a_tenant_that_is_forgotten_is_forgotten_under_every_spelling() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let source = source(move |name: String| {
        count.fetch_add(1, Ordering::SeqCst);
        let id = name.to_lowercase();
        async move { Ok((id != "none").then(|| tenant(&id, SECRET))) }
    });
    let spellings = ["acme", "ACME", "Acme", "other", "none"];
    for (forgotten, asked_since) in [("acme", 3), ("other", 1), ("none", 1), ("ACME", 1)] {
        for name in spellings {
            ask(&source, name).await.unwrap();
        }
        let before = asked.load(Ordering::SeqCst);
        source.forget(forgotten).await;
        for name in spellings {
            ask(&source, name).await.unwrap();
        }
        let since = asked.load(Ordering::SeqCst) - before;
        assert_eq!(since, asked_since, "{forgotten}");
    }
}

#[tokio::test]
async fn a_tenant_that_comes_to_be_is_found_after_the_negative_lifetime() {
    let there = Arc::new(AtomicBool::new(false));
    let is_there = Arc::clone(&there);
    let source = source(move |name| {
        let found = is_there
            .load(Ordering::SeqCst)
            .then(|| tenant(&name, SECRET));
        async move { Ok(found) }
    })
    .with_negative_lifetime(Duration::from_millis(50));
    assert_eq!(ask(&source, "acme").await.unwrap(), None);
    there.store(true, Ordering::SeqCst);
    let began = std::time::Instant::now();
    while ask(&source, "acme").await.unwrap().is_none() {
        assert!(began.elapsed() < PATIENCE);
    }
}

#[tokio::test]
async fn errors_are_not_remembered() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let source = source(move |name| {
        let first = counter.fetch_add(1, Ordering::SeqCst) == 0;
        async move {
            if first {
                return Err("the table is locked".into());
            }
            Ok(Some(tenant(&name, SECRET)))
        }
    });
    let layer = layer(source);
    let answer = send_whole(&layer, signed("/hooks/acme", SECRET, "body")).await;
    assert_unavailable(&answer, RejectionKind::KeySourceFailed);
    let said = refusal(&answer).unwrap().to_string();
    assert!(said.ends_with("the table is locked"), "{said}");
    let answer = send_whole(&layer, signed("/hooks/acme", SECRET, "body")).await;
    assert_eq!(event(&answer).tenant(), Some("acme"));
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

// Many at once

#[tokio::test]
async fn a_thousand_requests_at_once_make_one_look_up() {
    let table = Table::shut();
    let source = table.source();
    let asking = crowd(&source, "acme", 1000).await;
    assert_eq!(table.asked(), 1);
    table.permits.add_permits(1);
    for task in asking {
        let found = timeout(PATIENCE, task).await.unwrap().unwrap();
        assert_eq!(found.unwrap().as_deref(), Some("acme"));
    }
    assert_eq!(table.asked(), 1);
    assert_eq!(tasks(), 0);
}

#[tokio::test]
async fn an_error_answers_all_who_wait_for_it() {
    let table = Table::shut();
    let source = table.source();
    let asking = crowd(&source, "acme", 100).await;
    table.permits.close();
    for task in asking {
        let found = timeout(PATIENCE, task).await.unwrap().unwrap();
        assert!(found.is_err());
    }
    assert_eq!(table.asked(), 1);
}

#[tokio::test]
async fn a_look_up_goes_on_when_those_who_began_it_go_away() {
    let table = Table::shut();
    let source = table.source();
    let mut asking = crowd(&source, "acme", 1000).await;
    for task in asking.drain(..500) {
        task.abort();
    }
    // The look-up, and two for each who still waits.
    until_tasks(1 + 2 * 500).await;
    table.permits.add_permits(1);
    for task in asking {
        let found = timeout(PATIENCE, task).await.unwrap().unwrap();
        assert_eq!(found.unwrap().as_deref(), Some("acme"));
    }
    assert_eq!(table.asked(), 1);
}

#[tokio::test]
async fn a_look_up_goes_on_when_nobody_waits_for_it_any_more() {
    let table = Table::shut();
    let source = table.source();
    for task in crowd(&source, "acme", 1000).await {
        task.abort();
    }
    // Whoever waited has left no task behind.
    until_tasks(1).await;
    assert_eq!(table.asked(), 1);
    table.permits.add_permits(1);
    until_tasks(0).await;
    assert_eq!(ask(&source, "acme").await.unwrap().as_deref(), Some("acme"));
    assert_eq!(table.asked(), 1);
}

#[tokio::test]
async fn a_request_that_goes_away_at_once_looks_nothing_up() {
    let table = Table::open();
    let source = table.source();
    let mut asking = Box::pin(ask(&source, "acme"));
    assert!(poll_once(asking.as_mut()).is_pending());
    drop(asking);
    until_tasks(0).await;
    assert_eq!(table.asked(), 0);
}

#[tokio::test]
async fn different_tenants_do_not_wait_for_each_other() {
    let table = Table::shut();
    let source = table.source();
    let first = crowd(&source, "acme-1", 10).await;
    let second = crowd(&source, "acme-2", 10).await;
    assert_eq!(table.asked(), 2);
    table.permits.add_permits(2);
    for (tasks, name) in [(second, "acme-2"), (first, "acme-1")] {
        for task in tasks {
            let found = timeout(PATIENCE, task).await.unwrap().unwrap();
            assert_eq!(found.unwrap().as_deref(), Some(name));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_look_up_that_hangs_ends_after_thirty_seconds_and_leaves_nothing_behind() {
    let dropped = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&dropped);
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let source = source(move |_| {
        let guard = Dropped(Arc::clone(&flag));
        counter.fetch_add(1, Ordering::SeqCst);
        async move {
            let _guard = guard;
            pending().await
        }
    });
    let layer = layer(source);
    let began = Instant::now();
    for seconds in [5, 10, 15] {
        let answer = send_whole(&layer, signed("/hooks/acme", SECRET, "body")).await;
        assert_unavailable(&answer, RejectionKind::KeySourceTimeout);
        assert_eq!(began.elapsed().as_secs(), seconds);
        until_tasks(1).await;
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert!(!dropped.load(Ordering::SeqCst));

    // Whoever waits at that moment is told of it.
    let patient = layer.with_key_timeout(PATIENCE);
    let answer = send_whole(&patient, signed("/hooks/acme", SECRET, "body")).await;
    assert_unavailable(&answer, RejectionKind::KeySourceFailed);
    assert_eq!(began.elapsed().as_secs(), 30);
    assert!(dropped.load(Ordering::SeqCst));
    until_tasks(0).await;
    assert_eq!(asked.load(Ordering::SeqCst), 1);

    // The next one begins anew.
    let answer = send_whole(&patient, signed("/hooks/acme", SECRET, "body")).await;
    assert_unavailable(&answer, RejectionKind::KeySourceFailed);
    assert_eq!(began.elapsed().as_secs(), 60);
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_look_up_that_panics_is_503_for_all_who_wait_and_is_tried_again_by_the_next() {
    let table = Table::shut();
    let broken = table.clone();
    let source = source(move |name| {
        let look_up = broken.clone().look_up(name);
        let is_first = broken.asked() == 0;
        async move {
            let found = look_up.await;
            assert!(!is_first, "this table is broken");
            found
        }
    });
    let asking = crowd(&source, "acme", 1000).await;
    table.permits.add_permits(1000);
    let mut refused = 0;
    for task in asking {
        let found = timeout(PATIENCE, task).await.unwrap().unwrap();
        refused += usize::from(found.is_err());
    }
    assert_eq!((refused, table.asked()), (1000, 1));
    let layer = layer(source);
    let answer = send_whole(&layer, signed("/hooks/acme", SECRET, "body")).await;
    assert_eq!(event(&answer).tenant(), Some("acme"));
    assert_eq!(table.asked(), 2);
}

#[tokio::test]
async fn a_look_up_that_always_panics_is_503_and_does_no_harm_to_others() {
    let source = source(|name| async move {
        assert!(name != "acme-broken", "this row is broken");
        Ok(Some(tenant(&name, SECRET)))
    });
    let layer = layer(source);
    for _ in 0..2 {
        let answer = send_whole(&layer, signed("/hooks/acme-broken", SECRET, "body")).await;
        assert_unavailable(&answer, RejectionKind::KeySourceFailed);
        let answer = send_whole(&layer, signed("/hooks/acme", SECRET, "body")).await;
        assert_eq!(event(&answer).tenant(), Some("acme"));
    }
}

// What is forgotten

#[tokio::test]
async fn what_is_forgotten_is_looked_up_anew() {
    let table = Table::open();
    let source = table.source();
    let names = ["acme-1", "acme-2", "none"];
    for (forgets, expected) in [("acme-1", 4), ("none", 5), ("never-asked-for", 5)] {
        for name in names {
            ask(&source, name).await.unwrap();
        }
        source.clone().forget(forgets).await;
        for name in names {
            ask(&source, name).await.unwrap();
        }
        assert_eq!(table.asked(), expected, "{forgets}");
    }
    source.forget_all();
    for name in names {
        ask(&source, name).await.unwrap();
    }
    assert_eq!(table.asked(), 8);
}

#[tokio::test]
async fn a_key_that_was_revoked_during_a_look_up_is_not_accepted_after_it_was_forgotten() {
    for forget_all in [false, true] {
        let table = Table::shut();
        let key = Arc::new(Mutex::new(SECRET));
        let (slow, row) = (table.clone(), Arc::clone(&key));
        let source = source(move |name| {
            let slow = slow.clone();
            // The row is read, and then its answer takes its time.
            let row = *row.lock().unwrap();
            async move {
                let found = slow.look_up(name).await?;
                Ok(found.map(|found| tenant(found.id().unwrap(), row)))
            }
        });
        let layer = layer(source.clone());
        let mut before = pin!(send_whole(&layer, signed("/hooks/acme", SECRET, "body")));
        let asking = async {
            tokio::select! {
                _ = &mut before => panic!("answered without a look-up"),
                () = table.until_asked(1) => {}
            }
        };
        asking.await;

        *key.lock().unwrap() = OTHER_SECRET;
        if forget_all {
            source.forget_all();
        } else {
            source.forget("acme").await;
        }
        // It comes after the key was forgotten, and before the old look-up has ended.
        let mut after = pin!(send_whole(&layer, signed("/hooks/acme", SECRET, "body")));
        assert!(poll_once(after.as_mut()).is_pending());
        table.permits.add_permits(3);
        // This one has come while the key was good.
        let answer = before.await;
        assert_eq!(event(&answer).tenant(), Some("acme"));
        let after = after.await;
        assert_eq!(
            kind(&after),
            Some(RejectionKind::SignatureMismatch),
            "forget_all: {forget_all}"
        );
        let later = send_whole(&layer, signed("/hooks/acme", SECRET, "body")).await;
        assert_eq!(kind(&later), Some(RejectionKind::SignatureMismatch));
        let good = signed("/hooks/acme", OTHER_SECRET, "body");
        let answer = send_whole(&layer, good).await;
        assert_eq!(event(&answer).tenant(), Some("acme"));
        assert_eq!(table.asked(), 2);
    }
}

// How much is remembered

#[tokio::test]
async fn a_flood_of_made_up_names_drives_out_no_tenant_in_use() {
    const FLOOD: usize = 50_000;
    let asked = Arc::new(Mutex::new(HashMap::<String, usize>::new()));
    let log = Arc::clone(&asked);
    let source = source(move |name| {
        *log.lock().unwrap().entry(name.clone()).or_default() += 1;
        async move { Ok(name.starts_with("acme").then(|| tenant(&name, SECRET))) }
    })
    .with_capacity(1000)
    .with_negative_lifetime(Duration::from_secs(3600))
    .with_lifetime(Duration::from_secs(3600));
    let in_use: Vec<String> = (0..10).map(|n| format!("acme-{n}")).collect();
    for name in &in_use {
        ask(&source, name).await.unwrap();
    }
    for n in 0..FLOOD {
        ask(&source, &format!("made-up-{n}")).await.unwrap();
        // Each tenant has one request in a thousand.
        if n % 100 == 0 {
            ask(&source, &in_use[n / 100 % 10]).await.unwrap();
        }
    }
    let looked_up = |name: &String| asked.lock().unwrap()[name];
    // Before the cache is half full it counts nothing, so one that was asked for once may have to
    // come again.
    let often: usize = in_use.iter().map(looked_up).sum();
    let requests = in_use.len() + FLOOD / 100;
    assert!(
        often <= 3 * in_use.len(),
        "{often} look-ups for {requests} requests"
    );

    // Whatever is still remembered is not looked up again. Nothing is asked for a third time, so
    // what this puts in does not count.
    let before = asked.lock().unwrap().len();
    assert_eq!(before, FLOOD + in_use.len());
    let mut remembered = 0;
    for n in (0..FLOOD).rev() {
        let name = format!("made-up-{n}");
        ask(&source, &name).await.unwrap();
        remembered += usize::from(looked_up(&name) == 1);
    }
    // The cache clears up in batches of some hundred.
    assert!(remembered < 2000, "{remembered} names are remembered");
    assert!(remembered > 0, "nothing is remembered");
}

#[tokio::test]
async fn a_flood_of_tenants_that_exist_is_bounded_too() {
    const FLOOD: usize = 20_000;
    let table = Table::open();
    let source = table.source().with_capacity(100);
    for n in 0..FLOOD {
        ask(&source, &format!("acme-{n}")).await.unwrap();
    }
    assert_eq!(table.asked(), FLOOD);
    for n in (0..FLOOD).rev() {
        ask(&source, &format!("acme-{n}")).await.unwrap();
    }
    let remembered = 2 * FLOOD - table.asked();
    // The cache clears up in batches of some hundred.
    assert!(remembered > 0, "nothing is remembered");
    assert!(remembered < 1000, "{remembered} tenants are remembered");
}

#[tokio::test]
async fn a_tenant_that_is_new_in_a_flood_is_remembered_soon() {
    let table = Table::open();
    let source = table
        .source()
        .with_capacity(100)
        .with_negative_lifetime(Duration::from_secs(3600));
    let mut made_up = 0;
    let mut flood = async |count: usize| {
        for _ in 0..count {
            made_up += 1;
            ask(&source, &format!("made-up-{made_up}")).await.unwrap();
        }
    };
    flood(5000).await;
    let mut looked_up = 0;
    for _ in 0..50 {
        let before = table.asked();
        ask(&source, "acme").await.unwrap();
        looked_up += table.asked() - before;
        flood(100).await;
    }
    assert!(looked_up <= 5, "looked up {looked_up} times of 50");
}

#[tokio::test]
async fn names_of_any_length_are_told_apart_and_not_kept() {
    let table = Table::open();
    let source = table.source();
    let long = format!("acme{}", "x".repeat(100 * 1024));
    let longer = format!("{long}y");
    for _ in 0..2 {
        for name in [&long, &longer, &String::new()] {
            let found = ask(&source, name).await.unwrap();
            assert_eq!(found.as_ref(), Some(name).filter(|name| !name.is_empty()));
        }
    }
    assert_eq!(table.asked(), 3);
}

#[test]
fn its_debug_shows_how_it_is_set_and_nothing_of_what_it_holds() {
    let source = Table::open().source().with_capacity(7);
    assert_eq!(
        format!("{source:?}"),
        "CachedKeys { lifetime: 300s, negative_lifetime: 10s, capacity: 7, .. }"
    );
}
