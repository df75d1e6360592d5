/** The part of rocksdb-native 3.18 that we use; the package has no types of its own. */
declare module 'rocksdb-native' {
  interface Options {
    readonly writeBufferSize?: number;
    readonly maxWriteBufferNumber?: number;
    readonly maxOpenFiles?: number;
    readonly maxBackgroundJobs?: number;
  }

  interface Range {
    readonly gte: Uint8Array;
    readonly lt: Uint8Array;
    /** Entries fetched from the database at a time. */
    readonly capacity?: number;
  }

  interface WriteBatch {
    tryPut(key: Uint8Array, value: Uint8Array): void;
    tryDelete(key: Uint8Array): void;
    tryDeleteRange(start: Uint8Array, end: Uint8Array): void;
    /** Applies all or nothing; rejects with an error whose cause is the database's. */
    flush(): Promise<void>;
  }

  interface Iterator extends AsyncIterable<{ readonly key: Buffer; readonly value: Buffer }> {
    destroy(): void;
  }

  export default class RocksDB {
    constructor(path: string, options?: Options);
    ready(): Promise<void>;
    get(key: Uint8Array): Promise<Buffer | null>;
    write(options?: { readonly autoDestroy?: boolean; readonly capacity?: number }): WriteBatch;
    /** An iterator sees the database as it is when it begins. */
    iterator(range: Range): Iterator;
    /** Waits until all batches are done and all iterators are destroyed. */
    close(): Promise<void>;
  }
}
