/** An error that a person can mend: the command ends with its text and status 1, without a stack. */
export class CommandError extends Error {
  readonly code = 'COMMAND';
}
