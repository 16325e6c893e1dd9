import { defineStream } from 'millrace'

export default defineStream({
  name: 'PAYMENTS',
  root: 'payments',
  description: 'What the card network reports, and what was noticed in it. One key is one card.',
  partitions: 16,
  retention: { maxAge: '30d', maxBytes: 2 * 1024 ** 3 },
})
