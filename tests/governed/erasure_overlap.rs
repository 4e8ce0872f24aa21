//! Many overlapping holds, erasures and retention, in any order and over crashes, against a model: hold before erasure before retention.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use data_encoding::BASE64;
use serde_json::json;

use crate::erasure::{admin, case, celosia, erase, must, quick};
use crate::http::{JSON, Request};
use crate::member::{Member, percent};
use crate::net::Net;

const ITEMS: usize = 12;
const STEPS: usize = 80;
/// How long the short holds stand, milliseconds.
const SHORT: u64 = 6_000;
/// What a turn of the node takes at most: so close to the end of a hold nobody knows which side it is on.
const MARGIN: u64 = 2_000;

/// What is known of an item.
#[derive(Debug, Default)]
struct Item {
    id: String,
    /// Ends of the holds that stand before its erasure, by name.
    holds: BTreeMap<String, u64>,
    /// Somebody decided that it is erased.
    wanted: bool,
    /// When its retention ends.
    due: Option<u64>,
    /// It is erased: for ever.
    gone: bool,
}

#[derive(Debug, Eq, PartialEq)]
enum Expected {
    Readable,
    Erased,
    /// A hold ends about now, or retention is over and the node may have looked already, or not yet.
    Either,
}

impl Item {
    fn expected(&self, now: u64) -> Expected {
        if self.gone {
            return Expected::Erased;
        }
        let stands = self.holds.values().any(|until| *until > now + MARGIN);
        let ends = self.holds.values().any(|until| until.abs_diff(now) <= MARGIN);
        let is_due = self.due.is_some_and(|due| due <= now + MARGIN);
        match (stands, self.wanted, ends, is_due) {
            (true, ..) | (false, false, _, false) => Expected::Readable,
            (false, true, false, _) => Expected::Erased,
            _ => Expected::Either,
        }
    }
}

/// Numbers that a seed repeats (Knuth's MMIX).
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

struct Game {
    net: Net,
    dice: Dice,
    items: Vec<Item>,
    /// Cases with their items.
    cases: Vec<(String, Vec<usize>)>,
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis().try_into().unwrap()
}

fn moment(millis: u64) -> String {
    jiff::Timestamp::from_millisecond(millis.try_into().unwrap()).unwrap().to_string()
}

impl Game {
    fn new(seed: u64) -> Self {
        let net = quick(&["a"]);
        let begun = now();
        let items = (0..ITEMS).map(|at| {
            // Some are kept for a time only: it ends in the course of the game.
            let due = (at % 3 == 0).then(|| begun + 10_000 * (at as u64 + 1));
            let body = json!({ "payload": BASE64.encode(&[u8::try_from(at).unwrap(); 50]), "to": [] }).to_string();
            let request = Request::post("/send", JSON, body.as_bytes());
            let until = due.map(moment);
            let request = match &until {
                Some(until) => request.header("celosia-retention", until),
                None => request,
            };
            let answer = request.send(&net.at(0).node).must(201).json();
            Item { id: answer["key"].as_str().unwrap().to_owned(), due, ..Item::default() }
        });
        let items = items.collect();
        Self { net, dice: Dice(seed), items, cases: Vec::new() }
    }

    fn a(&self) -> &Member {
        self.net.at(0)
    }

    /// Some items that are readable for certain.
    fn some(&mut self) -> Vec<usize> {
        let now = now();
        let sure: Vec<usize> = (0..ITEMS).filter(|at| self.items[*at].expected(now) == Expected::Readable).collect();
        let mut some: Vec<usize> = sure.into_iter().filter(|_| self.dice.throw(3) == 0).collect();
        some.truncate(2);
        some
    }

    fn ids<'a>(&'a self, of: &[usize]) -> Vec<&'a str> {
        of.iter().flat_map(|at| ["--id", self.items[*at].id.as_str()]).collect()
    }

    fn place(&mut self) {
        let some = self.some();
        if some.is_empty() {
            return;
        }
        let until = now() + if self.dice.throw(2) == 0 { SHORT } else { 3_600_000 };
        let (admin, text) = (admin(self.a()), moment(until));
        let fixed = ["hold", "place", "--kind", "legal-hold", "--ground", "authority-order", "--reference", "1"];
        let said = must(&[&fixed[..], &["--admin", &admin, "--until", &text], &self.ids(&some)].concat());
        let name = said.lines().find(|line| line.len() == 32).unwrap().to_owned();
        for at in some {
            self.items[at].holds.insert(name.clone(), until);
        }
    }

    fn release(&mut self) {
        let far = now() + MARGIN;
        let names: Vec<String> = self
            .items
            .iter()
            .flat_map(|item| &item.holds)
            .filter(|(_, until)| **until > far)
            .map(|(name, _)| name.clone())
            .collect();
        if names.is_empty() {
            return;
        }
        let name = &names[self.dice.throw(names.len())];
        assert_eq!(must(&["hold", "release", "--admin", &admin(self.a()), name]).trim(), "released");
        for item in &mut self.items {
            item.holds.remove(name);
        }
    }

    fn order(&mut self) {
        let some = self.some();
        if some.is_empty() {
            return;
        }
        let name = erase(self.a(), &self.ids(&some));
        for at in &some {
            self.items[*at].wanted = true;
        }
        self.cases.push((name, some));
    }

    /// The node's own way to erase: refused where a hold stands.
    fn delete(&mut self) {
        let Some(at) = self.some().first().copied() else { return };
        let is_held = self.items[at].holds.values().any(|until| *until > now() + MARGIN);
        let path = format!("/transaction/{}", percent(&self.items[at].id));
        let status = Request::new("DELETE", &path).send(&self.a().node).status;
        if is_held {
            assert_ne!(status, 204, "it was deleted under a hold: {:?}", self.items[at]);
        } else if status == 204 {
            self.items[at].wanted = true;
        }
    }

    /// At its start the node looks for what is due.
    fn restart(&mut self) {
        let due = now();
        self.net.members[0].kill();
        self.net.members[0].start();
        for item in &mut self.items {
            let is_held = item.holds.values().any(|until| *until > due);
            let is_due = item.due.is_some_and(|at| at < due);
            item.wanted |= is_due && !is_held;
        }
    }

    /// All that is certain is so.
    fn check(&mut self) {
        for at in 0..ITEMS {
            let path = format!("/transaction/{}", percent(&self.items[at].id));
            let a = self.net.at(0);
            let reads = || Request::get(&path).header("Accept", JSON).send(&a.node).status == 200;
            let item = &self.items[at];
            match item.expected(now()) {
                Expected::Readable => {
                    let is_there = reads();
                    // The answer took its time: was it certain still?
                    assert!(is_there || item.expected(now()) != Expected::Readable, "{item:?} is gone\n{}", a.log());
                }
                Expected::Erased => a.wait_until(|| !reads(), &format!("{item:?} is readable")),
                Expected::Either => continue,
            }
            if item.expected(now()) == Expected::Erased {
                self.items[at].gone = true;
            }
        }
    }
}

fn game(seed: u64) {
    println!("seed {seed}");
    let mut game = Game::new(seed);
    for _ in 0..STEPS {
        match game.dice.throw(18) {
            0..=5 => game.place(),
            6..=9 => game.release(),
            10..=12 => game.order(),
            13 => game.delete(),
            14..=15 => game.restart(),
            _ => std::thread::sleep(Duration::from_secs(1)),
        }
        game.check();
    }
    // Every hold ends: what was ordered or is due goes, all else stays, and no case is left behind.
    let long: Vec<String> = game.items.iter().flat_map(|item| item.holds.keys().cloned()).collect();
    for name in long {
        // One that ended by itself is refused.
        let _ = celosia(&["hold", "release", "--admin", &admin(game.a()), &name]);
    }
    game.items.iter_mut().for_each(|item| item.holds.clear());
    std::thread::sleep(Duration::from_millis(MARGIN));
    game.restart();
    game.check();
    let a = game.net.at(0);
    for (name, _) in &game.cases {
        a.wait_until(|| case(a, name)["state"] == "purged", "a case is left behind");
    }
    let kept = game.items.iter().filter(|item| item.expected(now()) == Expected::Readable).count();
    println!("{} cases, {kept} items kept", game.cases.len());
}

#[test]
fn holds_erasures_and_retention_keep_their_order_whatever_comes() {
    let mut seed = [0; 8];
    getrandom::fill(&mut seed).unwrap();
    game(u64::from_be_bytes(seed));
}
