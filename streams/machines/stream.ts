import { defineStream } from 'millrace'

export default defineStream({
  name: 'MACHINES',
  root: 'machines',
  description: 'What machines measure about themselves, and what follows from it. One key is one machine.',
  partitions: 16,
  retention: { maxAge: '90d', maxBytes: 1024 ** 3 },
})
