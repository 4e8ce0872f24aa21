//! A whole network.

use tempfile::TempDir;

use crate::charter::{CLASSES, Governors};
use crate::member::Member;

pub struct Net {
    pub folder: TempDir,
    pub governors: Governors,
    pub members: Vec<Member>,
}

impl Net {
    /// Members of one directory, not started.
    pub fn prepare(ids: &[&str]) -> Self {
        Self::with(ids, CLASSES)
    }

    pub fn with(ids: &[&str], classes: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut governors = Governors::begin(classes);
        let mut members: Vec<_> = ids.iter().map(|id| Member::prepare(id, folder.path())).collect();
        governors.directory(members.iter().map(Member::entry).collect());
        for member in &mut members {
            member.give(governors.network(), &governors.notes);
        }
        Self { folder, governors, members }
    }

    pub fn start(ids: &[&str]) -> Self {
        let mut net = Self::prepare(ids);
        net.members.iter_mut().for_each(|member| member.spawn(&[]));
        net.members.iter_mut().for_each(Member::wait);
        net
    }

    pub fn at(&self, index: usize) -> &Member {
        &self.members[index]
    }
}
