import type { WireMessage } from '../event/wire.js'
import { fault } from '../error/millrace-error.js'
import { asFault } from './api-error.js'
import type { Connection } from './connection.js'
import { encodeHeaders } from './headers.js'
import { readAck, type PublishAck } from './publish-ack.js'
import { receiptsOf } from './receipts.js'
import { request } from './request.js'

/**
 * Stores one message, one attempt, and waits for the receipt. For conditional writes, whose outcome the caller
 * must judge; many messages go through a Publisher.
 * @throws SEQUENCE_CONFLICT an expectation failed; BROKER_TIMEOUT and the like when the outcome is unknown
 */
export async function publishOnce(
  connection: Connection,
  message: WireMessage,
  timeoutMs = 5_000,
): Promise<PublishAck> {
  try {
    const receipts = receiptsOf(connection)
    if (receipts !== undefined) return await receipts.store(message, timeoutMs)
    const headers = encodeHeaders(message.headers)
    const answer = await request(connection, message.subject, message.data, { headers, timeout: timeoutMs })
    const reply = readAck(answer.data)
    if (reply.kind === 'refused') throw reply.error
    if (reply.kind === 'foreign')
      throw fault('BROKER_REFUSED', `something that is not a stream answered on ${message.subject}`)
    return reply.ack
  } catch (error) {
    throw asFault(error, `publishing to ${message.subject}`)
  }
}
