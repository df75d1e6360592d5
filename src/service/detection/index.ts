export { AlertContext } from './alert-context.js';
export type { AlertFilter } from './alert-filter.js';
export { OnAlert } from './on-alert.js';
export { StakeoutStrategy, type StakeoutStrategyOptions } from './stakeout.strategy.js';
