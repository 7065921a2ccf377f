"""Servicers: proto in, one call, proto out."""
