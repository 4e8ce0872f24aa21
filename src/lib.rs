//! Celosia: a private transaction manager and privacy enclave for GoQuorum.
//!
//! The house has five floors; a module names only its own floor and those below. `tests/house` holds it to that.
//!
//! | floor | modules | what lives there |
//! |---|---|---|
//! | 0 | [`types`] [`crypto`] [`erasure`] [`matter`] [`scan`] [`wire`] [`seal`] [`translog`] [`governance`] [`ceremony`] [`supervision`] [`disclosure`] | words and numbers: no I/O, no async, no clock |
//! | 1 | [`enclave`] [`shred`] [`store`] [`directory`] [`journal`] [`officer`] | keeping: keys, payloads, members, what happened |
//! | 2 | [`services`] | the verbs: send, push, receive, resend, erase; no sockets |
//! | 3 | [`net`] [`api`] | transports: listeners, clients, routes, status codes |
//! | 4 | [`config`] [`telemetry`] [`app`] [`cli`] | the front |

pub mod ceremony;
pub mod crypto;
pub mod disclosure;
pub mod erasure;
pub mod governance;
pub mod matter;
pub mod scan;
pub mod seal;
pub mod supervision;
pub mod translog;
pub mod types;
pub mod wire;

pub mod directory;
pub mod enclave;
pub mod journal;
pub mod officer;
pub mod shred;
pub mod store;

pub mod services;

pub mod api;
pub mod net;

pub mod app;
pub mod cli;
pub mod config;
pub mod telemetry;
