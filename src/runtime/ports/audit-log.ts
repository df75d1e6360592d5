import type { AlertPlace } from './alert-store.js';

/** Someone has changed something of how the service works, or was not let. */
export interface AuditEntry {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly author: string;
  readonly role: string;
  /** How it is known who it was: `none`, `key`, `token`. */
  readonly by: string;
  /** `POST /v1/rules/apply`: the method, and the path as it was asked for. */
  readonly action: string;
  /** What was answered: an HTTP status. */
  readonly status: number;
  /** Why, as they said; else what was wrong. */
  readonly detail: string;
  /** Where the request came from. */
  readonly address: string;
}

export interface AuditFilter {
  readonly author?: string;
  /** `from` is included, `to` is not. */
  readonly from?: number;
  readonly to?: number;
}

/** What was changed, for those who must be able to tell. All methods may reject when the store is away. */
export interface AuditLog {
  open(): Promise<void>;
  /** An entry whose id is there already changes nothing. */
  append(entries: readonly AuditEntry[]): Promise<void>;
  /** The newest first. */
  list(filter: AuditFilter, limit: number, after: AlertPlace | null): Promise<readonly AuditEntry[]>;
  /** Forgets those before `before`. */
  prune(before: number): Promise<void>;
}
