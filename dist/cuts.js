export const SHARD_ROWS = 8192;
export const SHARD_SEQUENCES = 64;
export const WHOLE = [{ shard: 0, row: 0, rows: 0, item: 0, items: 0, longest: 0 }];
/** Cuts of at most `chunk` rows, none across a shard. */
export function cutRows(rows, chunk, shardRows) {
    const cuts = [];
    for (let from = 0, shard = 0; from < rows; from += shardRows, shard++) {
        const end = Math.min(from + shardRows, rows);
        for (let row = from; row < end; row += chunk)
            cuts.push({ shard, row, rows: Math.min(chunk, end - row), item: 0, items: 0, longest: 0 });
    }
    return cuts;
}
/** Whole sequences, together at most `chunk` rows unless one alone is longer, none across a shard. */
export function cutSequences(lengths, chunk, shardSequences) {
    const cuts = [];
    for (let item = 0, row = 0; item < lengths.length;) {
        const shard = Math.floor(item / shardSequences), end = Math.min((shard + 1) * shardSequences, lengths.length);
        let rows = 0, longest = 0, next = item;
        while (next < end && (next === item || rows + lengths[next] <= chunk)) {
            rows += lengths[next];
            longest = Math.max(longest, lengths[next++]);
        }
        cuts.push({ shard, row, rows, item, items: next - item, longest });
        row += rows;
        item = next;
    }
    return cuts;
}
export const apart = (cuts) => cuts.map((cut, shard) => ({ ...cut, shard }));
