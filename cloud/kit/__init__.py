"""Domain-free parts of the cloud: database, jobs, messages, audit, HTTP manners. It knows no company and no fee."""
