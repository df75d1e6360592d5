/** The engine: sequence patterns over keyed events, as pure functions. It imports nothing. */

export { decodeFeatures, encodeFeatures, mapWindows, type WindowMap } from './aggregate/feature-codec.js';
export { type FeatureRow, rowsBehind } from './aggregate/feature-rows.js';
export {
  compileFeatures,
  countFeatureEvents,
  type EventWindow,
  type EventWindowState,
  type FeatureSet,
  type FeatureState,
  featuresHorizon,
  joinFeatures,
  pruneFeatures,
  readFeatures,
  readTold,
  stateOf,
  takes,
  takesAny,
  updateFeatures,
  windowState,
} from './aggregate/feature-set.js';
export { type FeatureCell, FeatureError, FeatureTable } from './aggregate/feature-table.js';
export { type RowCode, rowCode } from './aggregate/log-code.js';
export { type RingAdder, ringAdder } from './aggregate/ring-code.js';
export {
  hundredthsIn,
  isWide,
  msAfter,
  type RingMemory,
  ringCapacity,
  ringCount,
  ringPlaces,
} from './aggregate/ring-rows.js';
export type { TimelineState } from './aggregate/timeline.js';
export { lineOfState, stateOfLine } from './aggregate/timeline-copy.js';
export { emptyValue, type Timeline } from './aggregate/timeline-layout.js';
export {
  addToLine,
  clearTimeline,
  copyLine,
  dropPassed,
  lineRowAt,
  moveOn,
  pasteLine,
  releaseTexts,
  timelinePlaces,
  writeLine,
} from './aggregate/timeline-ring.js';
export { restoreWindow, type WindowState } from './aggregate/window.js';
export { type Window, writeEmpty, writeTotals } from './aggregate/window-layout.js';
export {
  addTotals,
  clearRing,
  copyRing,
  dropOlder,
  mayHaveRest,
  mustBeWide,
  newestTime,
  pasteRing,
  readRing,
  ringOfState,
  stateOfRing,
  touchRing,
} from './aggregate/window-ring.js';
export { eventsOfStep, type MatchNode } from './buffer/match-node.js';
export type { PatternState, Run } from './buffer/run.js';
export { ByteReader, ByteWriter } from './bytes.js';
export { canonicalJson } from './canonical-json.js';
export {
  decodeKeyState,
  type EventCodec,
  encodeKeyState,
  type KeyStateLayout,
  ownLayout,
  viewKeyState,
  windowIdsOf,
  windowsFrom,
} from './codec/key-state-codec.js';
export {
  deadlineBefore,
  encodedEvents,
  hasOutline,
  KEY_STATE_VERSION,
  KeyStateVersionError,
  readsKeyStateVersion,
  runsBefore,
  visitEvents,
  visitWindowBlocks,
} from './codec/outline.js';
export type { Automaton } from './compiler/automaton.js';
export { buildAutomaton } from './compiler/build.js';
export type { CompiledPattern, CompileOptions } from './compiler/compile.js';
export { compilePattern, PatternCompiler, PatternError, validatePattern } from './compiler/compile.js';
export type { Guard } from './compiler/guard.js';
export type { EngineEvent, FieldValue, ToldFeatures } from './event.js';
export { partsOf } from './expression/analysis.js';
export type {
  AggregateFn,
  CompareOp,
  Condition,
  Expr,
  Feature,
  FunctionCondition,
  RunView,
  Scalar,
} from './expression/expression.js';
export type { FeatureFn } from './expression/feature.js';
export { type EngineFunction, FUNCTIONS, fewest, most, paramOf } from './expression/functions.js';
export { type Lists, ListsMissingError } from './expression/lists.js';
export { cellValue, type Texts } from './expression/scalar-code.js';
export { fieldName, fieldNameIf } from './field-name.js';
export { MatchSet } from './graph/match-set.js';
export { mixBits } from './mix-bits.js';
export type { NearMiss } from './nfa/near-misses.js';
export type { Match, Output, StepEvents, Timeout, WindowResult } from './nfa/output.js';
export { SkipError } from './nfa/output.js';
export { advanceTime, nextDeadline, processEvent } from './nfa/step.js';
export * from './pattern/builder.js';
export type {
  Contiguity,
  EventStep,
  GroupStep,
  InsideContiguity,
  Pattern,
  Quantifier,
  Skip,
  Step,
} from './pattern/pattern.js';
export type { PatternPath, PatternProblem } from './pattern/problem.js';
export {
  type PatternWindow,
  WINDOW_EVENTS_MAX,
  WINDOW_FIELDS,
  WINDOW_STEP,
  type WindowAggregate,
  type WindowFn,
  type WindowForm,
} from './pattern/window.js';
export * from './pattern/window-builder.js';
export { begunIsDue, begunMask, canBeKeptBegun, matchWhole, withBegun, withoutBegun } from './ruleset/begun.js';
export { joinKeyStates, StateCarrier } from './ruleset/carry-state.js';
export { type KeyState, withFeatures } from './ruleset/key-state.js';
export {
  advanceKey,
  canMatter,
  compileRuleSet,
  countRuns,
  dropSlot,
  keyHorizon,
  type NamedPattern,
  nextKeyDeadline,
  processKey,
  processRead,
  processSeen,
  type RuleSet,
  type RuleSetOptions,
  stopSlot,
  withoutEnded,
} from './ruleset/rule-set.js';
export { shapeOf } from './ruleset/shape.js';
export {
  HELD,
  heldEvents,
  type Limits,
  type OverflowPolicy,
  type RuleSetOutput,
  type SlotState,
  slotRuns,
} from './ruleset/slot-state.js';
export { type StepReached, stepsReached } from './ruleset/steps-reached.js';
export { type NamedFeature, type Telling, type Told, tell } from './ruleset/telling.js';
export { type HeldEvent, PatternRunner, type TestedLiteral } from './runner.js';
export { type Awaited, awaitedBy } from './trace/awaited.js';
export { type FeatureValues, PatternTracer, type TraceOutput, type TracerOptions } from './trace/tracer.js';
