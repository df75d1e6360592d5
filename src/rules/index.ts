/** Rules: from `pattern.yaml` to what the engine runs, with every mistake at its place. */

export { sayExpr } from './condition/say-expr.js';
export type { Diagnostic } from './diagnostic.js';
export { type FlinkJsonOptions, flinkKey, toFlinkJson } from './interchange/flink-json/export.js';
export {
  type Imported,
  type ImportedRule,
  type ImportOptions,
  importFlinkJson,
} from './interchange/flink-json/import.js';
export { type SqlTable, toFlinkSql } from './interchange/flink-sql.js';
export { NotExpressible } from './interchange/not-expressible.js';
export { keyFields, keyName } from './key-name.js';
export { type Keyed, keysBy, keyText } from './key-of.js';
export type { KnownLists, ListKind } from './known-lists.js';
export { lintOverlaps } from './lint/subsumed.js';
export {
  type LoadedRules,
  type LoadOptions,
  loadRules,
  ParsedRules,
  type RuleText,
  readRules,
} from './read/load-rules.js';
export { type ParsedRule, parseRule, type RuleContext } from './read/parse-rule.js';
export type { KeyBy, MessagePart, OnUpdate, OtherKey, Rule, RuleStatus, Severity } from './rule.js';
export type { EventField, EventSchema, FieldType, KnownStreams, RuleStream } from './schema.js';
export { sayDuration } from './source/duration.js';
export { formatDiagnostic } from './source/format-diagnostic.js';
export { type ParameterValues, parametersOf } from './source/parameters.js';
export { isTaken, streamsRead } from './streams-read.js';
export { type GivenValue, PARAMETER_TYPES, type Parameter, type ParameterType } from './templates/parameter.js';
export {
  type Filling,
  type FillingProblem,
  fillTemplate,
  parametersIn,
  schemaOfParameters,
  type Template,
  templateOf,
} from './templates/template.js';
export { formatCoverage, type RuleCoverage, type Uncovered } from './testing/coverage.js';
export { type ParsedTests, parseRuleTests } from './testing/parse-tests.js';
export type { ExpectedAlert, RuleTest, TestEvent, TestStream } from './testing/rule-test.js';
export { runRuleTests, type TestEngine, type TestFailure, type TestResult } from './testing/run-tests.js';
export { formatFailure, type TestRulesOptions, type TestRulesResult, testRules } from './testing/test-rules.js';
export { streamsOfRule } from './testing/test-streams.js';
export { withTestsBeside } from './testing/tests-beside.js';
export { findWitness, formatWitness, type Witness, type WitnessEvent } from './witness/witness.js';
