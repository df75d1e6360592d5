import type { ListChange } from '../../runtime/lists/layered-table.js';
import type { SourceMark } from '../../runtime/lists/list-op.js';
import type { TextTable } from '../../runtime/lists/text-table.js';

/** What came since a list was read last. */
export interface ListNews {
  readonly change: ListChange;
  readonly mark: SourceMark;
}

/** Where a list is read, elsewhere than over HTTP. */
export interface ListSource {
  /** The kind of source and its name, for people: `file lists/home.csv`. */
  readonly name: string;
  /** It is looked at this often. */
  readonly refreshMs: number;
  /** Another one when there may be something new. Absent: it has to be read to know. */
  stamp?(): Promise<string>;
  /** All there is. */
  read(signal: AbortSignal): Promise<{ readonly table: TextTable; readonly mark?: Partial<SourceMark> }>;
  /** What came since `mark`; `null`: nothing. Absent: all is read. */
  news?(mark: SourceMark, signal: AbortSignal): Promise<ListNews | null>;
  /** What came since does not do any more: all is to be read. */
  wantsAll?(): boolean;
  /** Says when there may be something new, sooner than it is looked at. */
  watch?(onNews: () => void): void;
  close?(): Promise<void>;
}
