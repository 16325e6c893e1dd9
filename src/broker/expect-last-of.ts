/**
 * Headers that make a write succeed only if the last message of several subjects has this stream sequence (0: none),
 * whichever of them it is in. The server compares it with what is stored, and not with other messages of the same batch:
 * of two in one batch, neither sees the other.
 */
export function expectLastOf(filter: string, sequence: number): readonly (readonly [string, string])[] {
  return [
    ['Nats-Expected-Last-Subject-Sequence', String(sequence)],
    ['Nats-Expected-Last-Subject-Sequence-Subject', filter],
  ]
}
