use std::net::IpAddr;

/// Who calls, as the listener sees it. In the extensions of every request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Caller {
    /// Its address; absent on a Unix socket.
    pub address: Option<IpAddr>,
}
