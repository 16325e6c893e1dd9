// The door: every public name, grouped by room.

// error
export { MillraceError, type Issue } from './error/millrace-error.js'
export type { ErrorCode } from './error/catalogue.js'

// event
export { defineEvent, type DraftOf, type EventContract, type EventOf } from './event/contract.js'
export type { Event, EventDraft, StoredEvent } from './event/event.js'

// broker
export { defineStream, type StreamDeclaration, type StreamOptions } from './broker/define-stream.js'

// pipeline
export { definePipeline, type PipelineDeclaration, type PipelineOptions } from './pipeline/define-pipeline.js'
export type { PipelineContext, StepOptions, StepWork } from './pipeline/pipeline-context.js'
export { defineKeyed, type KeyedDeclaration, type KeyedOptions, type StateSchema } from './pipeline/define-keyed.js'
export type { KeyedContext } from './pipeline/keyed/keyed-context.js'
