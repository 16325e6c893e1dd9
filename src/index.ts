export { MillraceError, type Issue } from './error/millrace-error.js'
export type { ErrorCode } from './error/catalogue.js'
export type { Event, EventDraft, StoredEvent } from './event/event.js'
