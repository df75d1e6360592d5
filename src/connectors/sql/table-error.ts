/** A table that cannot be read as it should be. */
export class TableError extends Error {
  readonly code = 'TABLE';
  constructor(table: string, why: string) {
    super(`${table}: ${why}.`);
  }
}
