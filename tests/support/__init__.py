"""What tests share: servers, builders, clocks. It imports no test."""
