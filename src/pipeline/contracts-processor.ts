import type { StreamDeclaration } from '../broker/define-stream.js'
import type { Logic, Processor } from '../kernel/processor.js'

const LOGIC: Logic = { turn: () => [], stop: () => undefined }

/**
 * Reads every event of a stream, so that one that no pipeline or rule asks for (an unknown type, an unknown version)
 * is noticed too: the kernel makes a dead letter of whatever fails its contract.
 * @param passes subjects of messages that are checked before they are stored: they are not read here
 */
export function contractsProcessor(stream: StreamDeclaration, passes?: (subject: string) => boolean): Processor {
  return {
    kind: 'contracts',
    name: stream.name,
    version: '1',
    from: { stream },
    to: { stream },
    ...(passes === undefined ? {} : { passes }),
    memory: 'none',
    start: () => LOGIC,
  }
}
