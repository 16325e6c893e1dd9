import { JetStreamApiError } from '@nats-io/jetstream'
import {
  AuthorizationError,
  ClosedConnectionError,
  NoRespondersError,
  PermissionViolationError,
  RequestError,
  TimeoutError,
  errors,
} from '@nats-io/transport-node'
import type { ErrorCode } from '../error/catalogue.js'
import { fault, messageOf, MillraceError } from '../error/millrace-error.js'

/** `err_code` of a JetStream API error to our code. Numbers from the server's errors.json. */
const BY_NUMBER: Readonly<Record<number, ErrorCode>> = {
  10023: 'STREAM_FULL', // insufficient resources
  10028: 'STREAM_FULL', // account resources exceeded
  10039: 'JETSTREAM_DISABLED', // not enabled for account
  10047: 'STREAM_FULL', // insufficient storage
  10054: 'MESSAGE_TOO_LARGE',
  10059: 'STREAM_NOT_FOUND',
  10071: 'SEQUENCE_CONFLICT',
  10076: 'JETSTREAM_DISABLED', // not enabled
  10077: 'STREAM_FULL', // store failed, maximum messages or bytes exceeded
  10164: 'SEQUENCE_CONFLICT',
}

/** Turns whatever the NATS client threw or answered into a fault with a code; faults pass through. */
export function asFault(thrown: unknown, doing: string): MillraceError {
  if (thrown instanceof MillraceError) return thrown
  if (thrown instanceof JetStreamApiError) {
    const { err_code: number, description } = thrown.apiError()
    return apiFault(number, description, doing, thrown)
  }
  const text = messageOf(thrown)
  const detail = `${doing}: ${text}`
  return fault(codeOf(thrown, text), detail, { cause: thrown })
}

/** The fault for an error object inside an API reply. */
export function apiFault(number: number, description: string, doing: string, cause?: unknown): MillraceError {
  return fault(BY_NUMBER[number] ?? 'BROKER_REFUSED', `${doing}: ${description} (${number})`, { cause })
}

function codeOf(thrown: unknown, text: string): ErrorCode {
  const cause = thrown instanceof Error ? thrown.cause : undefined
  if (thrown instanceof AuthorizationError || thrown instanceof errors.UserAuthenticationExpiredError)
    return 'BROKER_AUTH_FAILED'
  if (thrown instanceof PermissionViolationError || cause instanceof PermissionViolationError)
    return 'BROKER_PERMISSION_DENIED'
  if (thrown instanceof NoRespondersError || cause instanceof NoRespondersError) return 'NO_STREAM_FOR_SUBJECT'
  if (thrown instanceof RequestError && thrown.isNoResponders()) return 'NO_STREAM_FOR_SUBJECT'
  if (thrown instanceof TimeoutError || cause instanceof TimeoutError) return 'BROKER_TIMEOUT'
  if (text.includes('max_payload')) return 'MESSAGE_TOO_LARGE'
  if (thrown instanceof ClosedConnectionError) return 'BROKER_UNREACHABLE'
  if (text.includes('connection disconnected') || /ECONN|EPIPE|ENOTFOUND|connection refused/i.test(text))
    return 'BROKER_UNREACHABLE'
  return 'BROKER_REFUSED'
}

/** Whether the outcome of a request is unknown: it may have been carried out. */
export function outcomeUnknown(error: MillraceError): boolean {
  return (
    error.code === 'BROKER_TIMEOUT' || error.code === 'BROKER_UNREACHABLE' || error.code === 'NO_STREAM_FOR_SUBJECT'
  )
}
