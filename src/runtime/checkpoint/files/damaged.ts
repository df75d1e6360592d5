/** A checkpoint that cannot be read back: something of it is missing, torn or changed. An older one may still be whole. */
export class CheckpointDamagedError extends Error {
  readonly code = 'CHECKPOINT_DAMAGED';

  constructor(
    message: string,
    /** Name of the file, where one of those that a manifest names is damaged. */
    readonly file?: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
