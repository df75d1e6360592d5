/**
 * `DAMAGED`: not what was written. `FOREIGN`: no savepoint at all. `VERSION`: a later release wrote it. `STATE`: none can be taken of
 * what is stored. `TARGET`: it does not fit what it is to be restored into. `OCCUPIED`: there is state, or there are offsets, that
 * would be overwritten. `GROUP_BUSY`: the consumer group has running members. `IO`: the file cannot be read or written.
 */
export type SavepointErrorCode =
  `SAVEPOINT_${'DAMAGED' | 'FOREIGN' | 'VERSION' | 'STATE' | 'TARGET' | 'OCCUPIED' | 'GROUP_BUSY' | 'IO'}`;

/** Its message says what to do. */
export class SavepointError extends Error {
  constructor(
    readonly code: SavepointErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
