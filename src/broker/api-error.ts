import { JetStreamApiError } from '@nats-io/jetstream'
import {
  AuthorizationError,
  ClosedConnectionError,
  DrainingConnectionError,
  InvalidSubjectError,
  NoRespondersError,
  PermissionViolationError,
  TimeoutError,
  errors,
} from '@nats-io/transport-node'
import type { ErrorCode } from '../error/catalogue.js'
import { fault, messageOf, MillraceError } from '../error/millrace-error.js'

/** `err_code` of a JetStream API error to our code. Numbers from the server's errors.json. */
export const BY_NUMBER: Readonly<Record<number, ErrorCode>> = {
  10002: 'STREAM_FULL', // resource limits exceeded for account
  10004: 'BROKER_NOT_READY', // incomplete results
  10007: 'BROKER_NOT_READY', // cluster not assigned to this server
  10008: 'BROKER_NOT_READY', // temporarily unavailable
  10009: 'BROKER_NOT_READY', // cluster can not handle request
  10023: 'STREAM_FULL', // insufficient resources
  10028: 'STREAM_FULL', // insufficient memory
  10039: 'JETSTREAM_DISABLED', // not enabled for account
  10047: 'STREAM_FULL', // insufficient storage
  10054: 'MESSAGE_TOO_LARGE',
  10058: 'STREAM_CHANGE_REFUSED', // name in use with another configuration
  10059: 'STREAM_NOT_FOUND',
  10065: 'STREAM_CHANGE_REFUSED', // subjects overlap with an existing stream
  10071: 'SEQUENCE_CONFLICT',
  10076: 'JETSTREAM_DISABLED', // not enabled
  10077: 'STREAM_FULL', // store failed: maximum messages or bytes exceeded, no space left
  10097: 'MESSAGE_TOO_LARGE', // its headers
  10118: 'BROKER_NOT_READY', // stream is offline
  10119: 'BROKER_NOT_READY', // consumer is offline
  10164: 'SEQUENCE_CONFLICT',
  10176: 'BROKER_NOT_READY', // batch incomplete: the leader changed, or the server was restarted, in the middle of it
  10210: 'BROKER_NOT_READY', // too many open batches
  10211: 'BROKER_NOT_READY', // too many open batches in this server
}

/** Turns whatever the NATS client threw or answered into a fault with a code; faults pass through. */
export function asFault(thrown: unknown, doing: string): MillraceError {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    if (error instanceof MillraceError) return error
    if (error instanceof JetStreamApiError) {
      const { err_code: number, description } = error.apiError()
      return apiFault(number, description, doing, thrown)
    }
    const code = codeOf(error)
    if (code !== undefined) return fault(code, `${doing}: ${messageOf(error)}`, { cause: thrown })
  }
  return fault('BROKER_REFUSED', `${doing}: ${messageOf(thrown)}`, { cause: thrown })
}

/** The fault for an error object inside an API reply. */
export function apiFault(number: number, description: string, doing: string, cause?: unknown): MillraceError {
  return fault(BY_NUMBER[number] ?? 'BROKER_REFUSED', `${doing}: ${description} (${number})`, { cause })
}

function codeOf(error: Error): ErrorCode | undefined {
  if (error instanceof AuthorizationError || error instanceof errors.UserAuthenticationExpiredError)
    return 'BROKER_AUTH_FAILED'
  if (error instanceof PermissionViolationError) return 'BROKER_PERMISSION_DENIED'
  if (error instanceof NoRespondersError) return 'NO_STREAM_FOR_SUBJECT'
  if (error instanceof TimeoutError) return 'BROKER_TIMEOUT'
  if (error instanceof InvalidSubjectError) return 'MESSAGE_INVALID'
  if (error.message.includes('max_payload')) return 'MESSAGE_TOO_LARGE'
  if (error instanceof ClosedConnectionError || error instanceof DrainingConnectionError) return 'BROKER_UNREACHABLE'
  if (/ECONN|EPIPE|ENOTFOUND|connection (refused|disconnected|closed)/i.test(error.message)) return 'BROKER_UNREACHABLE'
  return undefined
}

/** Whether what was asked may have been carried out, or may be carried out when it is asked again. */
export function outcomeUnknown(error: MillraceError): boolean {
  return (
    error.code === 'BROKER_TIMEOUT' ||
    error.code === 'BROKER_UNREACHABLE' ||
    error.code === 'BROKER_NOT_READY' ||
    error.code === 'NO_STREAM_FOR_SUBJECT'
  )
}

/** Whether publishing the same message again later can succeed. */
export function worthRepeating(error: MillraceError): boolean {
  return outcomeUnknown(error) || error.code === 'STREAM_FULL'
}
