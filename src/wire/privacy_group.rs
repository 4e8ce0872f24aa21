//! Privacy groups as peers push and stores keep them, and their ids.
