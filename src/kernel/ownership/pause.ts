import type { Connection } from '../../broker/connection.js'
import { ensureOwnershipStream, ownershipSubject } from '../../broker/ownership-stream.js'
import { publishOnce } from '../../broker/publish-once.js'
import { encodeMessage, requireName, type PauseMessage } from './messages.js'

/**
 * Says that a processor is meant to stand still. Whoever runs its units commits what is done and gives them back, and
 * nobody takes them until it is resumed: also not after restarts, nor processes that start later. Resolves when it is
 * stored; readOwnership tells when the last unit has been given back. The group may have no members.
 * @param processor as the units name it, such as `pipeline-velocity`
 * @param options.replicas of the stream, when it has to be made. Default 1
 * @throws OWNERSHIP_NAME_INVALID and errors of the broker
 */
export async function pause(
  connection: Connection,
  group: string,
  processor: string,
  options: { readonly reason?: string; readonly replicas?: number } = {},
): Promise<void> {
  const { reason, replicas = 1 } = options
  await say(connection, group, processor, { paused: true, ...(reason === undefined ? {} : { reason }) }, replicas)
}

/** Takes back what `pause` said. Of a processor that is not paused it changes nothing. @throws as pause */
export async function resume(
  connection: Connection,
  group: string,
  processor: string,
  options: { readonly replicas?: number } = {},
): Promise<void> {
  await say(connection, group, processor, { paused: false }, options.replicas ?? 1)
}

async function say(
  connection: Connection,
  group: string,
  processor: string,
  message: PauseMessage,
  replicas: number,
): Promise<void> {
  requireName('group', group)
  requireName('processor', processor)
  await ensureOwnershipStream(connection, replicas)
  const subject = ownershipSubject(group, 'paused', processor)
  // without an end of its own: who was away for long has to hear of it too
  await publishOnce(connection, { subject, headers: [], data: encodeMessage(message) })
}
