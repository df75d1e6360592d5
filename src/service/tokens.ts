/** Injection tokens for what is no class. */
export const AUDIT = Symbol('stakeout audit log');
export const CLOCK = Symbol('stakeout clock');
export const REPLIES = Symbol('stakeout replies');
export const SETTINGS = Symbol('stakeout settings');
export const BACKTESTS = Symbol('stakeout back-test jobs');
export const CHECKPOINTS = Symbol('stakeout checkpoint statuses');
export const EXPLAINER = Symbol('stakeout explanations');
export const RISK = Symbol('stakeout risk reader');
export const SAVEPOINTS = Symbol('stakeout savepoint jobs');
export const SINKS = Symbol('stakeout sink followers');
export const RULE_READING = Symbol('stakeout rules as they are written');
export const PLACE_OF = Symbol('stakeout places of rules');
export const RULES = Symbol('stakeout rule control');
export const LISTS = Symbol('stakeout list control');
export const TEST_STREAMS = Symbol('stakeout streams for tests of rules');
export const SWITCHES = Symbol('stakeout pauses of streams and sinks');
export const SOURCES = Symbol('stakeout registered streams and sinks');
