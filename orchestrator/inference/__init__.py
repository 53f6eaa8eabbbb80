"""What a plan or a running study must decide by: arrays in, numbers out (numpy and scipy only).

``judge`` of `orchestrator.inference.verdict_chain` is the default chain from values to verdicts; the modules
beside it hold one concept each.  Nothing here reads a ledger, knows a method or draws a figure.
"""
