// The door: every public name, grouped by room.

// error
export { MillraceError, type Issue } from './error/millrace-error.js'
export type { ErrorCode } from './error/catalogue.js'

// event
export { defineEvent, type DraftOf, type EventContract, type EventOf } from './event/contract.js'
export type { Event, EventDraft, StoredEvent } from './event/event.js'

// broker
export { defineStream, type StreamDeclaration, type StreamOptions } from './broker/define-stream.js'

// cep
export { aggregators } from './cep/aggregate/aggregators.js'
export type { Aggregator, AnyAggregator, Reader, ResultsOf } from './cep/aggregate/aggregator.js'
export {
  compileAggregate,
  type AggregateBounds,
  type AggregateOptions,
  type WindowOptions,
} from './cep/aggregate/compile-aggregate.js'
export type { ResultKind, WindowValues } from './cep/aggregate/window-plan.js'
export {
  compileCorrelate,
  type CorrelateBounds,
  type CorrelateOptions,
  type CorrelateSide,
} from './cep/correlate/compile-correlate.js'
export {
  compileIntervalJoin,
  type IntervalJoinBounds,
  type IntervalJoinOptions,
  type IntervalJoinSide,
} from './cep/correlate/compile-interval-join.js'
export { compilePattern, type CompileOptions } from './cep/compile-pattern.js'
export { createEngine } from './cep/engine/engine.js'
export type { Advance, Engine, EngineInput, EngineStats } from './cep/engine/advance.js'
export type { EngineSnapshot } from './cep/engine/engine-snapshot.js'
export type { Executable } from './cep/engine/executor.js'
export type { Match, Timeout } from './cep/engine/match.js'
export { pattern } from './cep/pattern/pattern-builder.js'
export type { Beginning, Chain } from './cep/pattern/chain.js'
export type { EarlierEvents } from './cep/pattern/earlier.js'
export type { Pattern } from './cep/pattern/pattern.js'
export type { TypedMatch, TypedPattern, TypedTimeout } from './cep/pattern/typed-pattern.js'
export { algebra, type AlgebraOptions, type EarlierTags, type Expression } from './cep/tree/algebra.js'
export { compileTree } from './cep/tree/compile-tree.js'
export type { Tree, TreePattern } from './cep/tree/tree.js'
export type { AnyEvent } from './cep/engine/any-event.js'
export type { CorrelationValues, Outcome, Taken } from './cep/correlate/correlate-plan.js'

// pipeline
export { definePipeline, type PipelineDeclaration, type PipelineOptions } from './pipeline/define-pipeline.js'
export type { PipelineContext, StepOptions, StepWork } from './pipeline/pipeline-context.js'
export { defineKeyed, type KeyedDeclaration, type KeyedOptions, type StateSchema } from './pipeline/define-keyed.js'
export type { KeyedContext } from './pipeline/keyed/keyed-context.js'
export { aggregates, type Aggregate } from './pipeline/ops/aggregates.js'
export type { DurableOps } from './pipeline/ops/durable-ops.js'
export type { EngineOptions } from './pipeline/ops/engine-options.js'
export { bucketView, type BucketViewOptions } from './pipeline/ops/bucket-view.js'
export { enrich, type Enriched, type EnrichOptions, type View } from './pipeline/ops/enrich.js'
export type { Joined, LeftJoined } from './pipeline/ops/join.js'
export type { Window } from './pipeline/ops/windows.js'
