//! RocksDB for ciphertext and a small footprint: what differs from its defaults, and why.

use rocksdb::{
    BlockBasedIndexType, BlockBasedOptions, Cache, ColumnFamilyDescriptor, DBCompressionType, DBRecoveryMode, LogLevel, Options,
};

use super::{BESIDE, GROUP, INDEX, JOURNAL, META, PAYLOAD, TABLE, TOMBSTONE, TRACE};

const MIB: usize = 1 << 20;
/// All memtables together: with the block cache, most of the store's memory.
const WRITE_BUFFER: usize = 8 * MIB;
/// Blocks read from files. The system's page cache holds the rest.
pub(super) const BLOCK_CACHE: usize = 4 * MIB;
const OPEN_FILES: i32 = 256;

pub(super) fn database() -> Options {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    options.set_db_write_buffer_size(WRITE_BUFFER);
    // What a start must replay, at most, twice over.
    options.set_max_total_wal_size(2 * WRITE_BUFFER as u64);
    options.set_max_background_jobs(2);
    options.set_max_open_files(OPEN_FILES);
    options.set_skip_stats_update_on_db_open(true);
    options.set_stats_dump_period_sec(0);
    options.set_stats_persist_period_sec(0);
    // Threat: a log that is kept for others, or whose file is used again, holds what was erased long ago. These are the defaults; a purge
    // counts on them.
    options.set_recycle_log_file_num(0);
    options.set_wal_ttl_seconds(0);
    options.set_wal_size_limit_mb(0);
    // Its own log says little that we do not: warnings alone, two small files.
    options.set_log_level(LogLevel::Warn);
    options.set_keep_log_file_num(2);
    options.set_max_log_file_size(MIB);
    options.set_max_manifest_file_size(4 * MIB);
    // One writer thread: concurrent memtable writes and their locks bring nothing.
    options.set_allow_concurrent_memtable_write(false);
    options.set_enable_pipelined_write(false);
    // Files go to the disk as they are written, not in one burst that a commit then waits behind.
    options.set_bytes_per_sync(MIB as u64);
    // A torn last record is what a crash leaves, and it was never acknowledged. Anything else in the log that does not verify stops the
    // start with an error: the mode that skips to a consistent point would drop acknowledged records without a word.
    options.set_wal_recovery_mode(DBRecoveryMode::TolerateCorruptedTailRecords);
    options
}

pub(super) fn cache() -> Cache {
    Cache::new_lru_cache(BLOCK_CACHE)
}

pub(super) fn families(cache: &Cache) -> Vec<ColumnFamilyDescriptor> {
    let family = |name: &str, write_buffer: usize, block: usize| {
        let mut options = family_options(cache, write_buffer, block);
        // Ciphertexts are only asked for where the index has them: no filter for the last level.
        options.set_optimize_filters_for_hits(name == PAYLOAD);
        ColumnFamilyDescriptor::new(name, options)
    };
    vec![
        family(META, MIB, 4096),
        family(INDEX, 2 * MIB, 4096),
        family(PAYLOAD, 4 * MIB, 16 * 1024),
        family(TOMBSTONE, MIB, 4096),
        family(GROUP, MIB, 4096),
        family(JOURNAL, MIB, 4096),
        family(TRACE, MIB, 4096),
        family(BESIDE, MIB, 4096),
        family(TABLE, MIB, 4096),
    ]
}

fn family_options(cache: &Cache, write_buffer: usize, block: usize) -> Options {
    let mut blocks = BlockBasedOptions::default();
    blocks.set_block_cache(cache);
    blocks.set_block_size(block);
    // "Never seen" is the most frequent answer: the filters give it without a data block. They are cut into pages, so that a cache
    // of a few MiB serves stores of any size.
    blocks.set_bloom_filter(10.0, false);
    blocks.set_index_type(BlockBasedIndexType::TwoLevelIndexSearch);
    blocks.set_partition_filters(true);
    blocks.set_metadata_block_size(4096);
    blocks.set_cache_index_and_filter_blocks(true);
    blocks.set_pin_top_level_index_and_filter(true);
    blocks.set_pin_l0_filter_and_index_blocks_in_cache(true);
    blocks.set_format_version(5);
    let mut options = Options::default();
    options.set_block_based_table_factory(&blocks);
    // Payloads are ciphertext: nothing to gain, and sizes would tell of contents.
    options.set_compression_type(DBCompressionType::None);
    // No blob files: at their defaults even a forced compaction keeps a deleted value in them.
    options.set_enable_blob_files(false);
    options.set_write_buffer_size(write_buffer);
    options.set_max_write_buffer_number(3);
    options.set_level_compaction_dynamic_level_bytes(true);
    // While a purge rewrites much, small new files wait: the defaults (20 and 36) would slow writes down and then stop them.
    options.set_level_zero_slowdown_writes_trigger(64);
    options.set_level_zero_stop_writes_trigger(128);
    options
}
