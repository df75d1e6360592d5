/** Injection tokens for what is no class. */
export const SETTINGS = Symbol('stakeout settings');
export const CLOCK = Symbol('stakeout clock');
export const LOG = Symbol('stakeout log');
export const INGEST = Symbol('stakeout transaction ingest');
export const RISK = Symbol('stakeout risk reader');
export const SINKS = Symbol('stakeout sink followers');
