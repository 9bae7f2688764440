//! Histories of files that come, change and go: after each refresh a view has the rows of its query, and has read no more than it
//! must.

use std::collections::{BTreeMap, BTreeSet};

use super::{Place, how, same};
use crate::write::{ok, rows};

const STEPS: usize = 8;

/// Tells the same story for the same seed.
struct Random(u64);

impl Random {
    /// A number below `count`.
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % count
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// Name, options, query.
const VIEWS: [(&str, &str, &str); 9] = [
    ("linear", "", "SELECT k, v + 1 AS w, upper(k) AS u FROM s.t WHERE v % 3 <> 0"),
    ("joined", "", "SELECT t.k, t.v, d.label FROM s.t JOIN s.d ON d.k = t.k"),
    ("kept", "", "SELECT t.k, t.v, d.label FROM s.t LEFT JOIN s.d ON d.k = t.k AND d.label <> 'y'"),
    (
        "daily",
        "partition_by = 'at'",
        "SELECT date_trunc('day', ts::timestamp) AS at, k, count(*) AS n, sum(v)::bigint AS v FROM s.t GROUP BY 1, 2",
    ),
    ("folders", "partition_by = 'day'", "SELECT day, count(DISTINCT k) AS n, max(v) AS v FROM s.t GROUP BY day"),
    (
        "ranked",
        "partition_by = 'k'",
        "SELECT k, v, rank() OVER (PARTITION BY k ORDER BY v) AS r, count(*) OVER (PARTITION BY k) AS n FROM s.t",
    ),
    ("whole", "", "SELECT count(*) AS n, sum(v)::bigint AS v, min(ts::timestamp) AS first FROM s.t"),
    ("both", "", "SELECT k, v FROM s.t UNION ALL SELECT k, v FROM s.u"),
    (
        "named",
        "partition_by = 'label'",
        "SELECT coalesce(d.label, 'none') AS label, t.day, count(*) AS n FROM s.t LEFT JOIN s.d ON d.k = t.k GROUP BY 1, 2",
    ),
];

/// A lake as it is told, and what a view has seen of it.
struct History {
    place: Place,
    random: Random,
    files: BTreeMap<String, String>,
    gone: Vec<(String, String)>,
    told: Vec<String>,
    /// Of each view: the files of its last refresh.
    seen: BTreeMap<&'static str, BTreeMap<String, String>>,
}

impl History {
    async fn begin(seed: u64) -> Self {
        let files = [
            ("s/t/day=2026-01-01/f0.csv", "ts,k,v\n2026-01-01 03:00:00,a,1\n2026-01-01 04:00:00,b,2\n"),
            ("s/u/g0.csv", "ts,k,v\n2026-01-01 03:00:00,a,7\n"),
            ("s/d.csv", "k,label\na,x\nb,y\n"),
        ];
        let mut place = Place::new(&files).await;
        for (name, options, query) in VIEWS {
            place.view(name, options, query).await;
        }
        let files: BTreeMap<_, _> = files.into_iter().map(|(key, text)| (key.to_owned(), text.to_owned())).collect();
        let seen = VIEWS.iter().map(|(name, ..)| (*name, files.clone())).collect();
        Self { place, random: Random(seed), files, gone: Vec::new(), told: vec![format!("seed {seed}")], seen }
    }

    /// Rows of a day, of which some are late, and some have no key.
    fn text(&mut self, day: usize) -> String {
        let has_more = self.random.below(8) == 0;
        let mut text = if has_more { "ts,k,v,extra\n" } else { "ts,k,v\n" }.to_owned();
        for _ in 0..1 + self.random.below(6) {
            let day = if self.random.below(5) == 0 { 1 + self.random.below(5) } else { day };
            let key = *self.random.one_of(&["a", "b", "c", "ü/x", ""]);
            let (hour, v) = (self.random.below(24), self.random.below(50));
            let extra = if has_more { ",1" } else { "" };
            text.push_str(&format!("2026-01-0{day} {hour:02}:00:00,{key},{v}{extra}\n"));
        }
        text
    }

    fn put(&mut self, key: String, text: String) {
        self.place.lake.write(&key, &text);
        self.files.insert(key, text);
    }

    fn step(&mut self, at: usize) {
        let facts: Vec<String> = self.files.keys().filter(|key| !key.starts_with("s/d")).cloned().collect();
        let day = 1 + self.random.below(5);
        let what = match self.random.below(10) {
            0..3 => {
                let folder = match self.random.below(4) {
                    0 => "s/u".to_owned(),
                    1 => "s/t/day=__HIVE_DEFAULT_PARTITION__".to_owned(),
                    _ => format!("s/t/day=2026-01-0{day}"),
                };
                let (key, text) = (format!("{folder}/f{at}-{}.csv", self.random.below(3)), self.text(day));
                self.put(key.clone(), text);
                format!("add {key}")
            }
            3..5 => {
                let key = self.random.one_of(&facts).clone();
                let text = self.text(day);
                self.put(key.clone(), text);
                format!("replace {key}")
            }
            5..7 if facts.len() > 3 => {
                let key = self.random.one_of(&facts).clone();
                // The last file of a table is the table.
                let folder = key.get(..4).unwrap_or_default();
                if facts.iter().filter(|other| other.starts_with(folder)).count() < 2 {
                    return;
                }
                self.place.lake.remove(&key);
                let text = self.files.remove(&key).unwrap_or_default();
                self.gone.push((key.clone(), text));
                format!("remove {key}")
            }
            7 => {
                let key = self.random.one_of(&facts).clone();
                let text = self.files[&key].clone();
                self.put(key.clone(), text);
                format!("touch {key}")
            }
            8 => match self.gone.pop() {
                Some((key, text)) => {
                    self.put(key.clone(), text);
                    format!("bring back {key}")
                }
                None => return,
            },
            _ => {
                let text = *self.random.one_of(&["k,label\na,x\n", "k,label\na,x\nb,y\nc,y\n", "k,label\nc,z\n,w\n"]);
                self.put("s/d.csv".to_owned(), text.to_owned());
                "other names".to_owned()
            }
        };
        self.told.push(what);
    }

    async fn refresh(&mut self, (name, _, query): (&'static str, &str, &str)) {
        let told = format!("{} then refresh of {name}", self.told.join(", "));
        let client = &mut self.place.client;
        let answer = client.query(&format!("REFRESH MATERIALIZED VIEW {name}")).await;
        assert_eq!(answer.state(), "00000", "{told}: {:?}", answer.fault);
        let done = how(client, name).await;
        same(client, name, query, &format!("{told}: {done}")).await;
        let sql = format!(
            "SELECT bytes_read FROM system.matview_refreshes WHERE name = '{name}' ORDER BY started_at DESC LIMIT 1"
        );
        let read: usize = rows(client, &sql).await[0].parse().unwrap();
        let before = self.seen.insert(name, self.files.clone()).unwrap_or_default();
        if done == "refreshed A" {
            let fits = |key: &str| key.starts_with("s/t/");
            let touched = self.told.iter().any(|what| what.starts_with("touch") || what.starts_with("replace"));
            let gone = before.keys().any(|key| fits(key) && !self.files.contains_key(key));
            let changed = self.files.iter().any(|(key, text)| before.get(key).is_some_and(|old| old != text));
            if !touched && !gone && !changed {
                let new = self.files.iter().filter(|(key, _)| fits(key) && !before.contains_key(*key));
                let most = new.map(|(_, text)| text.len()).sum::<usize>() + self.files["s/d.csv"].len();
                assert!(read <= most, "{told}: {read} bytes were read, and not {most}");
            }
        }
        let all: usize = self.files.values().map(String::len).sum();
        // Files of which nothing is known are read once for their values.
        assert!(read <= 2 * all, "{told}: {read} of {all} bytes");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_each_refresh_a_view_has_the_rows_of_its_query() {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let count = number("LAKEGATE_MATVIEW_HISTORIES").unwrap_or(4);
    let first = number("LAKEGATE_MATVIEW_SEED").unwrap_or(1);
    let mut ways = BTreeSet::new();
    for seed in first..first + count {
        println!("seed {seed}");
        let mut history = History::begin(seed).await;
        for at in 0..STEPS {
            history.step(at);
            let skip = history.random.below(3);
            for view in VIEWS.into_iter().skip(skip).step_by(1 + skip) {
                history.refresh(view).await;
                ways.insert(how(&mut history.place.client, view.0).await);
            }
        }
        for view in VIEWS {
            history.refresh(view).await;
        }
        ok(&mut history.place.client, "SELECT 1").await;
    }
    for way in ["refreshed A", "refreshed P", "unchanged"] {
        assert!(ways.contains(way), "{ways:?}");
    }
}
