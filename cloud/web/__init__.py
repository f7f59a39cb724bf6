"""The pages: server-rendered, stateless, Chinese first and English beside it; they call services, never tables."""
