//! What is acknowledged stays, and stays with its participants: real processes, killed, starved and listened to.

mod disk;
mod enclave;
mod http;
mod kill;
mod member;
mod overload;
mod pair;
mod participants;
mod tap;
