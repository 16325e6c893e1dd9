/**
 * How often the server has delivered a message to a consumer, this time among them, as its acknowledgement subject says:
 * `$JS.ACK.<stream>.<consumer>.<count>.<sequence>.<delivery>.<time>.<pending>`, or the layout of js_ack_fc_v2 with
 * domain and account before, and a random token behind. Read from the end: names may be of any length, never dotted.
 */
export function deliveryCountOf(reply: string): number {
  const tokens = reply.split('.')
  return Number(tokens[tokens.length - (tokens.length >= 12 ? 6 : 5)]) || 1
}
