//! What an operator sees from outside: logs, metrics, status. No secret, payload or recipient's key in any of them.

mod logs;
mod metrics;
mod process;
mod requests;
mod snapshot;
mod source;

pub use logs::{FilterError, init as init_logs};
pub use metrics::Metrics;
pub use process::Process;
pub use requests::observe;
pub use snapshot::{GovernedFigures, PeerState, PurgeFigures, Snapshot};
pub use source::NodeSource;
