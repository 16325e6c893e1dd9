import { JetStreamApiError } from '@nats-io/jetstream'
import { errors, InvalidSubjectError } from '@nats-io/transport-node'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { apiFault, asFault, BY_NUMBER, outcomeUnknown, worthRepeating } from '../../src/broker/api-error.ts'
import { CATALOGUE, type ErrorCode } from '../../src/error/catalogue.ts'
import { fault } from '../../src/error/millrace-error.ts'

const test = suite('errors of the broker')

test('every error number of the server that we know has a code of ours', () => {
  for (const [number, code] of Object.entries(BY_NUMBER)) {
    const error = apiFault(Number(number), 'words of the server', 'doing it')
    assert.is(error.code, code)
    assert.ok(error.code in CATALOGUE)
    assert.is(error.detail, `doing it: words of the server (${number})`)
    const thrown = new JetStreamApiError({ code: 400, err_code: Number(number), description: 'words' })
    assert.is(asFault(thrown, 'it').code, code)
    // the client wraps some of them
    assert.is(asFault(new Error('jetstream is not enabled', { cause: thrown }), 'it').code, code)
  }
  assert.is(apiFault(10_999, 'new in some later server', 'it').code, 'BROKER_REFUSED')
})

test('every error of the client has a code of ours, also behind its wrappers', () => {
  const cases: [Error, ErrorCode][] = [
    [new errors.AuthorizationError('Authorization Violation'), 'BROKER_AUTH_FAILED'],
    [new errors.UserAuthenticationExpiredError('expired'), 'BROKER_AUTH_FAILED'],
    [new errors.PermissionViolationError('no', 'publish', 'a'), 'BROKER_PERMISSION_DENIED'],
    [new errors.NoRespondersError('a.b'), 'NO_STREAM_FOR_SUBJECT'],
    [new errors.TimeoutError(), 'BROKER_TIMEOUT'],
    [new errors.ClosedConnectionError(), 'BROKER_UNREACHABLE'],
    [new errors.DrainingConnectionError(), 'BROKER_UNREACHABLE'],
    [new errors.RequestError('connection disconnected'), 'BROKER_UNREACHABLE'],
    [new errors.ConnectionError('connection refused'), 'BROKER_UNREACHABLE'],
    [Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }), 'BROKER_UNREACHABLE'],
    [new InvalidSubjectError('a b'), 'MESSAGE_INVALID'],
    [new errors.InvalidArgumentError("'payload' max_payload size exceeded"), 'MESSAGE_TOO_LARGE'],
    [new Error('anything else'), 'BROKER_REFUSED'],
  ]
  for (const [error, code] of cases) {
    assert.is(asFault(error, 'it').code, code, error.message)
    const wrapped = new Error('outer', { cause: new errors.RequestError('inner', { cause: error }) })
    assert.is(asFault(wrapped, 'it').code, code, `wrapped ${error.message}`)
    assert.is(asFault(wrapped, 'it').cause, wrapped)
  }
  const known = fault('STREAM_FULL', 'x')
  assert.is(asFault(known, 'it'), known)
})

test('only what may have happened, or may pass, is worth repeating', () => {
  const repeated = Object.keys(CATALOGUE).filter((code) => worthRepeating(fault(code as ErrorCode, '')))
  assert.equal(repeated.sort(), [
    'BROKER_NOT_READY',
    'BROKER_TIMEOUT',
    'BROKER_UNREACHABLE',
    'NO_STREAM_FOR_SUBJECT',
    'STREAM_FULL',
  ])
  assert.is(outcomeUnknown(fault('STREAM_FULL', '')), false)
})

test.run()
