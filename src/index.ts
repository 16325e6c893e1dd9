// The door: every public name, grouped by room.

// error
export { MillraceError, type Issue } from './error/millrace-error.js'
export type { ErrorCode } from './error/catalogue.js'

// event
export { defineEvent, type DraftOf, type EventContract, type EventOf } from './event/contract.js'
export type { Event, EventDraft, StoredEvent } from './event/event.js'
export { later, type LaterOptions, type When } from './event/when.js'

// broker
export { defineStream, type StreamDeclaration, type StreamOptions } from './broker/define-stream.js'
export type { EventPublisher, EventPublisherOptions, PublishedEvent } from './broker/event-publisher.js'
export { openPublisher, type OpenedPublisher, type OpenPublisherOptions } from './runtime/open-publisher.js'

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
export { defineRule, type RuleDefinition, type TestDefinition } from './cep/rule/define-rule.js'
export type { Find } from './cep/rule/find.js'
export type { Rule } from './cep/rule/rule.js'
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

export { adwin, type AdwinOptions } from './cep/detect/adwin.js'
export { auto, type AutoOptions } from './cep/detect/auto.js'
export {
  compileDetect,
  type DetectBounds,
  type DetectOptions,
  type Detection,
  type Reading,
} from './cep/detect/compile-detect.js'
export { cusum, type CusumOptions } from './cep/detect/cusum.js'
export type { DecisionOptions } from './cep/detect/decision.js'
export type { Deadline, Detector, DetectorPlan, Direction, Score } from './cep/detect/detector.js'
export { ewma, type EwmaOptions } from './cep/detect/ewma.js'
export { halfSpaceTrees, type HalfSpaceTreesOptions } from './cep/detect/half-space-trees.js'
export { heartbeat, type HeartbeatOptions } from './cep/detect/heartbeat.js'
export { holtWinters, type HoltWintersOptions } from './cep/detect/holt-winters.js'
export { hourOfWeek, type HourOfWeekOptions } from './cep/detect/hour-of-week.js'
export { medianMad, type MedianMadOptions } from './cep/detect/median-mad.js'
export { pageHinkley, type PageHinkleyOptions } from './cep/detect/page-hinkley.js'
export { peer, type PeerOptions } from './cep/detect/peer.js'
export { quantileBand, type QuantileBandOptions } from './cep/detect/quantile-band.js'
export { rateOfChange, type RateOfChangeOptions } from './cep/detect/rate-of-change.js'
export { threshold, type ThresholdOptions } from './cep/detect/threshold.js'
export { twoWindow, type TwoWindowOptions } from './cep/detect/two-window.js'

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

// actor
export { defineActor } from './actor/define-actor.js'
export type { ActorDeclaration, ActorOnError, ActorOptions, DecideContext } from './actor/actor-options.js'
export { actorStep, type ActorStep, type ActorStepContext, type ActorStepFailure } from './actor/actor-step.js'
export { defineCommand, type CommandContract, type CommandDraft } from './actor/define-command.js'
export { cancelTimer, close, reject, send, setTimer, step, type Effect, type Rejection } from './actor/decision.js'
export { on, type Reaction } from './actor/reaction.js'
export type { PersonalOptions } from './actor/personal-fields.js'
export { PersonalErased } from './actor/erase-personal.js'
export type { ActorClient, ActorHandle, OutcomeOptions } from './actor/actor-client.js'
export type { AcceptedOutcome, FailedOutcome, Outcome as CommandOutcome, RejectedOutcome } from './actor/outcome.js'
export type { RequestOptions } from './actor/request.js'
export type { Told, TellOptions } from './actor/tell.js'
export { connectActors, type ConnectActorsOptions, type ConnectedActors } from './runtime/connect-actors.js'

// actor: aggregates without an actor
export { actualVersion } from './actor/append.js'
export type { Append, Appended, AppendMetadata, ExpectedVersion } from './actor/append.js'
export type { EventStore, EventStoreOptions, ReadOptions } from './actor/event-store.js'
export type { SubscribedRecord, SubscribeOptions, SubscriptionStart } from './actor/record-subscription.js'
export { openEventStore, type OpenedEventStore, type OpenEventStoreOptions } from './runtime/open-event-store.js'

// view
export { defineView } from './view/define-view.js'
export type { SqlTable, ViewDeclaration, ViewEvent, ViewOnError, ViewOptions } from './view/view-options.js'
export type { RowChange, RowStore, StoredRow, WrittenRow } from './view/row-store.js'
export type { CaughtUpOptions, ViewPosition, ViewReader, ViewRow } from './view/view-reader.js'
export { openView, type OpenedView, type OpenViewOptions } from './runtime/open-view.js'

// sql
export { pgClient } from './sql/pg-client.js'
export { postgresClient } from './sql/postgres-client.js'
export type { SqlClient, SqlQuery, SqlRow } from './sql/sql-client.js'
export type { SqlTransaction } from './sql/sql-transaction.js'

// outbox
export { defineOutbox } from './outbox/define-outbox.js'
export type { OutboxDeclaration, OutboxOptions } from './outbox/outbox-options.js'
export {
  definePostgresSink,
  upsert,
  type PostgresSinkDeclaration,
  type PostgresSinkOptions,
  type SinkEvent,
} from './outbox/define-postgres-sink.js'
export { sqlInbox, type SqlInbox, type SqlInboxOptions } from './outbox/sql-inbox.js'

// schedule
export type { MissedPolicy } from './schedule/decide-ticks.js'
export { defineSchedule } from './schedule/define-schedule.js'
export type {
  CancelEvent,
  CancelOptions,
  Cancelled,
  Change,
  Changed,
  Scheduled,
  SetEvent,
  SetOptions,
} from './schedule/delayed-change.js'
export type { DelayedEvents, DelayedEventsOptions } from './schedule/delayed-events.js'
export {
  openDelayedEvents,
  type OpenDelayedEventsOptions,
  type OpenedDelayedEvents,
} from './runtime/open-delayed-events.js'
export type { ScheduleDeclaration, ScheduleOptions, ScheduleTimes, Tick } from './schedule/schedule-options.js'

// delivery
export { inbox } from './delivery/idempotency/inbox.js'
export { defineHandler } from './delivery/define-handler.js'
export {
  defineDependency,
  type BreakerOptions,
  type DependencyDeclaration,
  type DependencyOptions,
  type DependencyRate,
} from './delivery/limits/define-dependency.js'
export type { Attempt, BatchContext, FormerAttempt, HandlerContext } from './delivery/handler-context.js'
export type { HandledEvent, HandlerDeclaration, HandlerOptions, LaneOptions } from './delivery/handler-options.js'
export { exponential, fixed, fullJitter, steps, type Backoff } from './delivery/backoff.js'
export {
  crash,
  deadLetter,
  park,
  permanent,
  retry,
  retryAfter,
  type FinalPolicy,
  type RecoveryPolicy,
  type RetryOptions,
  type RetryPolicy,
} from './delivery/recovery.js'

// job
export { defineJob } from './job/define-job.js'
export { definePrompt, type PromptDeclaration, type PromptOptions, type PromptPart } from './job/define-prompt.js'
export type { Lane } from './job/job-event.js'
export type { JobDeclaration, JobOptions } from './job/job-options.js'
export type { FollowedProgress } from './runtime/follow-job.js'
export { openJobs, type OpenedJobs, type OpenJobsOptions } from './runtime/open-jobs.js'

// edge: sinks and sources
export { defineWebhook } from './edge/webhook/define-webhook.js'
export type { Setting, WebhookDeclaration, WebhookOptions } from './edge/webhook/webhook-options.js'
export { defineFileSink, type FileSinkDeclaration, type FileSinkOptions } from './edge/file/define-file-sink.js'
export { defineFileSource, type FileSourceDeclaration, type FileSourceOptions } from './edge/tail/define-file-source.js'
export {
  defineSubjectSource,
  type CapturedMessage,
  type SubjectSourceDeclaration,
  type SubjectSourceOptions,
} from './edge/subject/define-subject-source.js'
export { defineHttpSource, type HttpSourceDeclaration, type HttpSourceOptions } from './edge/http/define-http-source.js'
export type { SourceTarget } from './edge/source/source-options.js'
