export type StoreValue = string | number | null;

/** The little of a database that the store needs. Values stand as `?` in the text, whatever the database calls them. */
export interface StoreSession {
  /** Whole numbers may come as text. */
  all<T extends object>(text: string, values?: readonly StoreValue[]): Promise<readonly T[]>;
}

export interface StoreClient extends StoreSession {
  readonly dialect: 'sqlite' | 'postgres';
  /** What is done through `session` is done whole, or not at all. */
  transaction<T>(work: (session: StoreSession) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}
