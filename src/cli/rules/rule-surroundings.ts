import { isFault } from '../../error/millrace-error.js'
import { discover } from '../../runtime/discover.js'
import type { CliContext } from '../context.js'
import type { RuleSurroundings } from './check-rules.js'

/**
 * The contracts and streams; a file that is named is read without them where there is no `streams/`.
 * @throws STREAMS_FOLDER_MISSING, DECLARATION_INVALID, CONTRACT_DUPLICATE
 */
export async function ruleSurroundings(
  { options, err, json }: CliContext,
  isNamed: boolean,
): Promise<RuleSurroundings> {
  try {
    const deployment = await discover(options.streams, { rules: false })
    return { registry: deployment.registry, streams: new Set(deployment.streams.map(({ name }) => name)) }
  } catch (error) {
    if (!isNamed || !isFault(error, 'STREAMS_FOLDER_MISSING')) throw error
    if (!json) err.line(`event types and fields are not checked: ${error.detail} is missing`)
    return { registry: undefined, streams: undefined }
  }
}
